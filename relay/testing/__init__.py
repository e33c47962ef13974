"""People, cases, recordings and a running relay: for demo and tests, ours and an integrator's."""

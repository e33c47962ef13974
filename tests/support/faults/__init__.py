"""Runs of a whole relay in which everything fails, each chosen by its seed: what is done, what is checked."""

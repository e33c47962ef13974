"""People, cases, recordings and a running relay: for demo and tests, ours and an integrator's.

    async with (
        running_relay(folder) as relay,
        organization(relay.url, relay.root, relay.token_key) as people,
    ):
        case = await open_case(people)
        await case.harmed.send_letter(case.responsible.participant_id, "Why?")

`people` needs the client alone, `relays` the extra `embedded`.
"""

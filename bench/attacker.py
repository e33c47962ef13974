"""`python -m bench.attacker`: one caller who asks for as much as they can, until the input ends.

It stands for somebody's own computer, so it takes what no other process wants of this one. At the end it
says how often it asked: an attack that was kept from asking is seen by that.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Final

import aiohttp
import msgspec
import uvloop

from bench.attacks import ADDRESS, ATTACKS, Attacker, Target

LEAST_WANTED: Final = 19


async def main() -> int:
    """Attack until the input ends; how often something was asked for."""
    target = msgspec.json.decode(sys.stdin.buffer.readline(), type=Target)
    attack, at_once = ATTACKS[target.kind]
    async with aiohttp.ClientSession(
        target.url,
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None),
        headers={"Authorization": f"Bearer {target.bearer}", "X-Real-IP": ADDRESS},
    ) as http:
        attacker = Attacker(target, http)

        async def go_on() -> None:
            while True:
                await attack(attacker)

        tasks = [asyncio.create_task(go_on()) for _ in range(at_once)]
        await asyncio.to_thread(sys.stdin.buffer.read)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return attacker.asked


if __name__ == "__main__":
    os.nice(LEAST_WANTED)
    print(uvloop.run(main()))

"""A program that uses the library: for each number it reads it asks so often, and says who served.

For the name of a profile it says how that stands.
"""

from __future__ import annotations

import asyncio
import json
import sys

from spillover import Spillover
from tests.journeys.processes import ASKED


async def main(config: str) -> None:
    async with Spillover.open(config) as llm:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            word = line.strip()
            if not word.isdigit():
                status = await llm.status()
                print(json.dumps(status["profiles"][word]["status"]), flush=True)
                continue
            answers = await asyncio.gather(*(llm.chat(ASKED) for _ in range(int(word))))
            print(json.dumps([answer.profile for answer in answers]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

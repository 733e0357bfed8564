"""A program that uses the library: for each number it reads it asks so often, and says who served."""

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
            answers = await asyncio.gather(*(llm.chat(ASKED) for _ in range(int(line))))
            print(json.dumps([answer.profile for answer in answers]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

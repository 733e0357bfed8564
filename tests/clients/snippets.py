"""The Python texts of `spillover connect` run as they are, and a turn with a tool behind each framework's.

`python -m tests.clients.snippets SDKS FRAMEWORKS LITELLM`, with the paths of Pythons in environments
that have the official SDKs, LangChain and Pydantic AI, and LiteLLM. Nothing leaves the machine.
"""

from __future__ import annotations

import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from spillover.catalogue.clients import Language, Link, Speech, load, written
from spillover.protocols.conversation.seals import Dialect
from tests.clients.stage import PROMPT, RESULT, SAID, Situation, staged
from tests.clients.turns import TURNS, Told

if TYPE_CHECKING:
    from spillover.catalogue.clients import Client
    from tests.clients.stage import Stage

TRIED = "tests/clients/snippets.py"
SCRIPT = Path(__file__).with_name("turns.py")
FIRST = {
    Speech.CHAT: Dialect.CHAT,
    Speech.ANTHROPIC: Dialect.ANTHROPIC,
    Speech.GEMINI: Dialect.GEMINI,
}
"""Whose profile stands first before a client of a protocol, so that a crossing leads to another."""
AT_ONCE = 2
SETTINGS = {
    "LANGSMITH_TRACING": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}


def turned(client: Client, python: str, stage: Stage, situation: Situation) -> None:
    """Run a client in a situation, and check what came of it."""
    stage.set(situation)
    link = Link(address=stage.address, model=situation.value)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        snippet = home / "snippet.py"
        (part,) = (part for part in client.parts if part.language is Language.PYTHON)
        snippet.write_text(written(part, link), "utf-8")
        told = Told(
            client=client.id,
            snippet=str(snippet),
            address=stage.address,
            model=situation.value,
            prompt=PROMPT if client.id in TURNS else "",
            result=RESULT,
        )
        said = stage.run([python, SCRIPT, json.dumps(vars(told))], home, SETTINGS)
    if told.prompt:
        stage.check(situation, said.splitlines()[-1])
    else:
        assert f"first, {SAID}" in said, said
        assert stage.outside.asked == []
    print(f"{client.id}, {situation}: {stage.seen()}", flush=True)


def play(client: Client, python: str) -> None:
    """Run a client in every situation: in one, if its snippet is all of it."""
    with staged(FIRST[client.protocol]) as stage:
        for situation in Situation if client.id in TURNS else (Situation.STEADY,):
            turned(client, python, stage, situation)


def main(sdks: str, frameworks: str, litellm: str) -> None:
    """Run every client that says it is run here."""
    clients = [client for client in load().entries if client.tried == TRIED]
    assert TURNS.keys() <= {client.id for client in clients}
    own = {"litellm": litellm}
    pythons = {"sdk": sdks, "framework": frameworks}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        chosen = [own.get(client.id, pythons[client.group]) for client in clients]
        list(pool.map(play, clients, chosen))


if __name__ == "__main__":
    main(*(str(Path(each).absolute()) for each in sys.argv[1:]))

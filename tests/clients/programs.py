"""The command lines `llm` and Aider, set up by what `spillover connect` prints for them.

`python -m tests.clients.programs LLM AIDER`, with the paths of the programs in environments of their
own. `llm` calls a tool; Aider, which has none, edits a file and commits it. Nothing leaves the machine.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from spillover.catalogue.clients import Language, Link, load, started, written
from tests.clients.stage import PROMPT, RESULT, SAID, Situation, staged

if TYPE_CHECKING:
    from spillover.catalogue.clients import Client
    from tests.clients.stage import Stage

EXPORT = re.compile(r'^export (\w+)="(.*)"$', re.MULTILINE)
TOOL = f'''
def weather(place: str) -> str:
    """Tell the weather at a place."""
    return f"{RESULT} in {{place}}"
'''
EDITED = "greeting.py"
NO_NETWORK = (
    "--no-analytics",
    "--no-check-update",
    "--no-show-release-notes",
    "--no-show-model-warnings",
    "--no-detect-urls",
)
QUIETLY = ("--yes-always", "--no-stream", "--no-pretty", "--map-tokens", "0", "--no-gitignore")


def client_called(name: str) -> Client:
    """Return a client that there is."""
    client = load().find(name)
    assert client is not None
    return client


def connected(client: Client, link: Link, home: Path) -> dict[str, str]:
    """Put a client's files where they go, and return what its shell exports."""
    variables: dict[str, str] = {}
    for part in client.parts:
        text = written(part, link)
        if part.is_file:
            file = home / part.into.removeprefix("~/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n", "utf-8")
        elif part.language is Language.BASH:
            variables |= dict(EXPORT.findall(text))
    return variables


def ask_llm(program: str, stage: Stage, situation: Situation, home: Path) -> None:
    """Have `llm` call a tool and answer."""
    stage.set(situation)
    link = Link(address=stage.address, model=situation.value)
    client = client_called("llm")
    variables = connected(client, link, home)
    path = {"PATH": f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"}
    for part in client.parts:
        if part.language is Language.BASH:
            stage.run(["bash", "-euc", written(part, link)], home, path)
    command = [program, "-m", "spillover", "--functions", TOOL, PROMPT]

    said = stage.run(command, home, variables)

    stage.check(situation, said)


def ask_aider(program: str, stage: Stage, situation: Situation, home: Path) -> None:
    """Have Aider edit a file and commit it: the second request carries what the first one wrote."""
    edited = f"first, {SAID}" if situation is not Situation.LIMITED else f"alike, {SAID}"
    stage.set(situation, result=edited)
    link = Link(address=stage.address, model=situation.value)
    client = client_called("aider")
    variables = connected(client, link, home) | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    models = home / ".aider" / "caches" / "model_prices_and_context_window.json"
    models.parent.mkdir(parents=True)
    models.write_text('{"any": {}}', "utf-8")  # new and not empty: Aider asks the network for none
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org")
    file = home / EDITED
    file.write_text('print("hello")\n', "utf-8")
    for command in (("init", "-q"), ("add", EDITED), ("commit", "-q", "-m", "Start")):
        subprocess.run([*git, *command], cwd=home, check=True, timeout=60)
    start = started(client, link).split()[1:]

    stage.run(
        [program, *start, *QUIETLY, *NO_NETWORK, "--message", "Edit the greeting.", EDITED],
        home,
        variables,
    )

    log = subprocess.run(
        ["git", "log", "-1", "--format=%an%n%B"],
        cwd=home,
        check=True,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert edited in file.read_text("utf-8"), file.read_text("utf-8")
    stage.check(situation, log.stdout, result=edited)


def editing(stage: Stage) -> None:
    """Have each provider's answers be an edit of the file, which says who made it."""
    for provider in (stage.first, stage.alike, stage.other):
        text = f'{EDITED}\n```\nprint("{provider.spec.title}, {SAID} an edit")\n```'
        provider.change(msgspec.structs.replace(provider.spec, answer=text))


def play(name: str, program: str) -> None:
    """Run one of them in every situation."""
    with staged() as stage:
        if name == "aider":
            editing(stage)
        for situation in Situation:
            with tempfile.TemporaryDirectory() as home:
                ASKS[name](program, stage, situation, Path(home))
            print(f"{name}, {situation}: {stage.seen()}", flush=True)


ASKS = {"llm": ask_llm, "aider": ask_aider}


def main(programs: list[str]) -> None:
    """Run them at once; who has no program at the end is left out."""
    with ThreadPoolExecutor(len(ASKS)) as pool:
        list(pool.map(play, ASKS, programs))


if __name__ == "__main__":
    main([str(Path(each).absolute()) for each in sys.argv[1:]])

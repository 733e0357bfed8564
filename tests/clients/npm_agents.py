"""The command lines of agents from npm, set up by what `spillover connect` prints for them.

`python -m tests.clients.npm_agents FOLDER ...`, each named after one agent that is installed in it. An
agent takes turns in a home of its own: it reads or writes a file with a tool of its own, and tells the
model what came of it. Where the machine allows that, there is no network but loopback.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from spillover.catalogue.clients import Link
from spillover.simulator import ScriptedCall
from tests.clients.programs import client_called, connected
from tests.clients.stage import PROMPT, RESULT, Situation, staged
from tests.journeys.dialects import PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE: Final = "weather.txt"
MADE: Final = "made.txt"
PATCH: Final = f"*** Begin Patch\n*** Add File: {MADE}\n+fair\n*** End Patch\n"
INSIDE: Final = "SPILLOVER_TESTS_CUT_OFF"
"""Set where there is no network but loopback."""
PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@dataclass(frozen=True)
class Agent:
    """What is asked of an agent, and what keeps it from looking for news of itself."""

    name: str
    """Of the folder, and of the client in the catalogue."""
    command: tuple[str, ...]
    """The first part is a program in `node_modules`, or a script of Node's there."""
    reads: tuple[str, Mapping[str, str]]
    """The tool that the model calls, and its arguments; `{home}` is the folder it works in."""
    quiet: Mapping[str, str] = field(default_factory=dict)
    """Variables."""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What is added to a file of the home."""
    model: str | None = None
    """One that it knows by name and treats in its own way: an alias. None: a chain's name."""
    writes: tuple[str, Mapping[str, str]] | None = None
    """A second call, of whoever takes the conversation over."""


CLAUDE: Final = (
    "@anthropic-ai/claude-code/cli-wrapper.cjs",
    "--permission-mode=acceptEdits",
    "-p",
    PROMPT,
)
CLAUDE_READS: Final = ("Read", {"file_path": f"{{home}}/{FILE}"})
CLAUDE_QUIET: Final = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
CODEX: Final = (
    ".bin/codex",
    "exec",
    "--skip-git-repo-check",
    "--dangerously-bypass-approvals-and-sandbox",
    "--config=analytics.enabled=false",
    "--config=check_for_update_on_startup=false",
    "--config=features.plugins=false",
    PROMPT,
)
CODEX_READS: Final = ("exec_command", {"cmd": f"cat {FILE}"})
AGENTS: Final = (
    Agent("claude-code", CLAUDE, CLAUDE_READS, CLAUDE_QUIET),
    Agent(
        "claude-code",
        CLAUDE,
        CLAUDE_READS,
        CLAUDE_QUIET,
        model="claude-sonnet-4-5",
        writes=("Write", {"file_path": f"{{home}}/{MADE}", "content": "fair"}),
    ),
    Agent("codex", CODEX, CODEX_READS),
    Agent("codex", CODEX, CODEX_READS, model="gpt-5.5", writes=("apply_patch", {"input": PATCH})),
    Agent(
        "gemini-cli",
        (".bin/gemini", "--yolo", "-p", PROMPT),
        ("read_file", {"file_path": f"{{home}}/{FILE}"}),
        {"GEMINI_CLI_TRUST_WORKSPACE": "true"},
        settings={
            ".gemini/settings.json": {
                "general": {"enableAutoUpdate": False},
                "privacy": {"usageStatisticsEnabled": False},
            }
        },
    ),
    Agent(
        "opencode",
        (".bin/opencode", "run", PROMPT),
        ("read", {"filePath": f"{{home}}/{FILE}"}),
        {
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "NPM_CONFIG_REGISTRY": "http://127.0.0.1:9",  # it looks for types of its plugins
            "NPM_CONFIG_FETCH_RETRIES": "0",
        },
    ),
    Agent(
        "qwen-code",
        (".bin/qwen", "--yolo", "-p", PROMPT),
        ("read_file", {"file_path": f"{{home}}/{FILE}"}),
        # It takes a proxy for loopback too, whatever NO_PROXY says.
        {case(name): "" for name in PROXIES for case in (str.upper, str.lower)},
    ),
)


def play(agent: Agent, folder: Path) -> None:
    """Have the agent take a turn in every situation; by a name of its own in the hardest one."""
    client = client_called(agent.name)
    first = next(each for each, name in PROTOCOLS.items() if name == client.protocol)
    situations = list(Situation) if agent.model is None else [Situation.CROSSING]
    aliases = {} if agent.model is None else {agent.model: Situation.CROSSING.value}
    program, *rest = agent.command
    command = [str(folder.absolute() / "node_modules" / program), *rest]
    if program.endswith("js"):
        command.insert(0, "node")
    with tempfile.TemporaryDirectory() as name, staged(first, aliases=aliases) as stage:
        home = Path(name)
        (home / FILE).write_text(f"{RESULT}\n", "utf-8")
        calls = tuple(scripted(*call, home=name) for call in (agent.reads, agent.writes) if call)
        for each in (stage.first, stage.alike, stage.other):
            each.change(replace(each.spec, calls=calls))
        for situation in situations:
            model = agent.model or situation.value
            variables = connected(client, Link(address=stage.address, model=model), home)
            for path, more in agent.settings.items():
                settings = json.loads((home / path).read_text("utf-8")) | more
                (home / path).write_text(json.dumps(settings), "utf-8")
            stage.set(situation)
            began_s = time.monotonic()
            answered = stage.run(command, home, {**variables, **agent.quiet})
            took_s = time.monotonic() - began_s
            stage.check(situation, answered)
            assert agent.writes is None or (home / MADE).read_text("utf-8").strip() == "fair"
            print(f"{agent.name}, {model}: {took_s:.1f} s; {stage.seen()}", flush=True)


def scripted(tool: str, arguments: Mapping[str, str], *, home: str) -> ScriptedCall:
    """Return a call of a tool in a home."""
    said = {name: value.replace("{home}", home) for name, value in arguments.items()}
    return ScriptedCall(tool=tool, arguments=said)


def cut_off() -> str:
    """Go on without any network but loopback, if that is allowed here; return what became of it."""
    if INSIDE in os.environ:
        up, flags = 0x8914, 0x41  # SIOCSIFFLAGS; IFF_UP and IFF_RUNNING
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, up, struct.pack("16sh14x", b"lo", flags))
        return "no network but loopback"
    command = ["unshare", "--map-root-user", "--net"]
    try:
        may = subprocess.run([*command, "true"], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        may = False
    if may:
        again = [sys.executable, "-m", "tests.clients.npm_agents", *sys.argv[1:]]
        os.execvpe(command[0], [*command, *again], {**os.environ, INSIDE: "1"})  # noqa: S606
    return "the network can't be cut off here: proxies alone stand in the way"


def main(folders: list[Path]) -> None:
    """Have every agent play that is installed."""
    print(cut_off(), flush=True)
    for folder in folders:
        for agent in AGENTS:
            if agent.name == folder.name:
                play(agent, folder)


if __name__ == "__main__":
    main([Path(each) for each in sys.argv[1:]])

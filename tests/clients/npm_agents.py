"""The command lines of agents from npm against a gateway over upstreams of other protocols.

`python -m tests.clients.npm_agents FOLDER ...`, each with one agent installed in `node_modules` and
named after it. An agent takes a turn in a home of its own: it reads a file with a tool of its own, or
writes one, and tells the model what came of it. Where the machine allows it all runs without any
network but loopback.
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

from spillover.protocols.conversation.seals import Dialect
from spillover.simulator import ScriptedCall
from tests.clients.stage import PROMPT, RESULT, Situation, staged

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY: Final = "any"
FILE: Final = "weather.txt"
PATCH: Final = f"*** Begin Patch\n*** Add File: {RESULT}.txt\n+fair\n*** End Patch\n"
PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy")
"""Qwen Code takes a proxy for loopback too, whatever NO_PROXY says."""
INSIDE: Final = "SPILLOVER_TESTS_CUT_OFF"
"""Set where there is no network but loopback."""


@dataclass(frozen=True)
class Agent:
    """How an agent is pointed at a gateway and told what to do.

    In all texts {address} is the gateway's, {key} opens it, {model} is a chain, and {home} the folder
    that the agent works in.
    """

    name: str
    """Of the folder too."""
    speaks: Dialect
    command: tuple[str, ...]
    """The first part is a file of `node_modules` for Node to run, or a program."""
    call: tuple[str, Mapping[str, str]]
    """The tool that the model calls, and its arguments."""
    variables: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)
    alias: str | None = None
    """The agent asks for a model of this name, `*` for any: it is another name of the last chain."""


CLAUDE: Final = ("@anthropic-ai/claude-code/cli-wrapper.cjs", "-p", PROMPT)
CODEX: Final = """\
model = "{model}"
model_provider = "spillover"
check_for_update_on_startup = false

[model_providers.spillover]
name = "Spillover"
base_url = "{address}/v1"
env_key = "SPILLOVER_KEY"
wire_api = "responses"

[features]
plugins = false

[analytics]
enabled = false
"""
CODEX_COMMAND: Final = (
    ".bin/codex",
    "exec",
    "--skip-git-repo-check",
    "--dangerously-bypass-approvals-and-sandbox",
    PROMPT,
)
OPENCODE: Final = {
    "$schema": "https://opencode.ai/config.json",
    "model": "spillover/{model}",
    "provider": {
        "spillover": {
            "npm": "@ai-sdk/openai-compatible",
            "name": "Spillover",
            "options": {"baseURL": "{address}/v1", "apiKey": "{key}"},
            "models": {"{model}": {"name": "{model}"}},
        }
    },
}
GEMINI: Final = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "privacy": {"usageStatisticsEnabled": False},
    "general": {"enableAutoUpdate": False},
}
AGENTS: Final = (
    Agent(
        name="claude-code",
        speaks=Dialect.ANTHROPIC,
        command=CLAUDE,
        call=("Read", {"file_path": f"{{home}}/{FILE}"}),
        variables={
            "ANTHROPIC_BASE_URL": "{address}",
            "ANTHROPIC_AUTH_TOKEN": "{key}",
            "ANTHROPIC_MODEL": "{model}",
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": "{model}",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
    ),
    Agent(
        name="claude-code",
        speaks=Dialect.ANTHROPIC,
        command=CLAUDE,
        call=("Read", {"file_path": f"{{home}}/{FILE}"}),
        variables={
            "ANTHROPIC_BASE_URL": "{address}",
            "ANTHROPIC_AUTH_TOKEN": "{key}",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
        alias="claude-*",
    ),
    Agent(
        name="codex",
        speaks=Dialect.RESPONSES,
        command=CODEX_COMMAND,
        call=("exec_command", {"cmd": f"cat {FILE}"}),
        variables={"SPILLOVER_KEY": "{key}"},
        files={".codex/config.toml": CODEX},
    ),
    Agent(
        name="codex",
        speaks=Dialect.RESPONSES,
        command=CODEX_COMMAND,
        call=("apply_patch", {"input": PATCH}),
        variables={"SPILLOVER_KEY": "{key}"},
        files={".codex/config.toml": CODEX},
        alias="gpt-5.5",
    ),
    Agent(
        name="gemini-cli",
        speaks=Dialect.GEMINI,
        command=(".bin/gemini", "--yolo", "-p", PROMPT),
        call=("read_file", {"file_path": f"{{home}}/{FILE}"}),
        variables={
            "GOOGLE_GEMINI_BASE_URL": "{address}",
            "GEMINI_API_KEY": "{key}",
            "GEMINI_MODEL": "{model}",
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
        },
        files={".gemini/settings.json": json.dumps(GEMINI)},
    ),
    Agent(
        name="opencode",
        speaks=Dialect.CHAT,
        command=(".bin/opencode", "run", PROMPT),
        call=("read", {"filePath": f"{{home}}/{FILE}"}),
        variables={
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
            "NPM_CONFIG_REGISTRY": "{address}",  # where it looks for its plugins' types, in vain
        },
        files={".config/opencode/opencode.json": json.dumps(OPENCODE)},
    ),
    Agent(
        name="qwen-code",
        speaks=Dialect.CHAT,
        command=(".bin/qwen", "--auth-type", "openai", "--yolo", "-p", PROMPT),
        call=("read_file", {"file_path": f"{{home}}/{FILE}"}),
        variables={
            "OPENAI_BASE_URL": "{address}/v1",
            "OPENAI_API_KEY": "{key}",
            "OPENAI_MODEL": "{model}",
            **dict.fromkeys(PROXIES, ""),
        },
        files={".qwen/settings.json": json.dumps(GEMINI["privacy"] | GEMINI["general"])},
    ),
)


def filled(text: str, told: Mapping[str, str]) -> str:
    """Put what is known in its places; other braces stay."""
    for name, value in told.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def play(agent: Agent, folder: Path) -> None:
    """Have the agent take a turn in every situation."""
    last = Situation.CROSSING
    aliases = {} if agent.alias is None else {agent.alias: last.value}
    with tempfile.TemporaryDirectory() as name, staged(agent.speaks, aliases=aliases) as stage:
        home = Path(name).resolve()
        (home / FILE).write_text(f"{RESULT}\n", "utf-8")
        tool, arguments = agent.call
        said: dict[str, Any] = {
            key: filled(value, {"home": str(home)}) for key, value in arguments.items()
        }
        for each in (stage.first, stage.alike, stage.other):
            call = ScriptedCall(tool=tool, arguments=said)
            each.change(replace(each.spec, calls=(call,)))
        program, *rest = agent.command
        command = [folder.absolute() / "node_modules" / program, *rest]
        for situation in Situation if agent.alias is None else (last,):
            model = agent.alias or situation.value
            told = {"address": stage.address, "key": KEY, "model": model, "home": str(home)}
            for path, text in agent.files.items():
                (home / path).parent.mkdir(parents=True, exist_ok=True)
                (home / path).write_text(filled(text, told), "utf-8")
            stage.set(situation)
            began_s = time.monotonic()
            answered = stage.run(
                ["node", *command] if program.endswith("js") else command,
                home,
                {name: filled(value, told) for name, value in agent.variables.items()},
            )
            took_s = time.monotonic() - began_s
            stage.check(situation, answered)
            print(f"{agent.name}, {tool}, {model} {situation}: {took_s:.1f} s", flush=True)


def cut_off() -> str:
    """Go on without any network but loopback, if that is allowed here; return what became of it."""
    if INSIDE in os.environ:
        up, flags = 0x8914, 0x41  # SIOCSIFFLAGS; IFF_UP and IFF_RUNNING
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_:
            fcntl.ioctl(any_, up, struct.pack("16sh14x", b"lo", flags))
        return "no network but loopback"
    command = ["unshare", "--map-root-user", "--net"]
    try:
        may = subprocess.run([*command, "true"], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        may = False
    if may:
        again = [sys.executable, "-m", "tests.clients.npm_agents", *sys.argv[1:]]
        os.execvpe(command[0], [*command, *again], {**os.environ, INSIDE: "1"})  # noqa: S606
    return "the network can't be cut here: proxies alone stand in the way"


def main(folders: list[Path]) -> None:
    """Have every agent play that is installed."""
    print(cut_off(), flush=True)
    for folder in folders:
        for agent in AGENTS:
            if agent.name == folder.name:
                play(agent, folder)


if __name__ == "__main__":
    main([Path(each) for each in sys.argv[1:]])

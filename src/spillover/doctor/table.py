"""Every check by its name: what it looks at, and what `--fix` can do about it.

Refuses to know how any of it is looked at and judged.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Final

from spillover.core.values import Value


class Part(StrEnum):
    """What checks are of, in the order in which they are shown."""

    CONFIG = "Configuration"
    KEYS = "Keys and environment"
    NETWORK = "Network"
    PROVIDERS = "Providers"
    SERVERS = "Local servers"
    STATE = "Port and state"
    MACHINE = "This machine"


class Check(Value, frozen=True, kw_only=True):
    """One thing that is looked at."""

    name: str
    part: Part
    looks_at: str
    fixes: str = ""
    """What `--fix` does; empty: nothing can be done for you."""


def _checks(part: Part, *rows: tuple[str, str] | tuple[str, str, str]) -> tuple[Check, ...]:
    return tuple(
        Check(name=row[0], part=part, looks_at=row[1], fixes=row[2] if len(row) > 2 else "")  # noqa: PLR2004 - the third is optional
        for row in rows
    )


CHECKS: Final = (
    *_checks(
        Part.CONFIG,
        ("config.file", "whether the file can be read, is YAML, and every setting of it holds"),
        ("config.warnings", "what works in it but hardly as meant"),
        (
            "config.permissions",
            "who else can read the configuration, its `.env` and the files of its secrets",
            "makes them readable by you alone",
        ),
        ("config.keys", "keys that are written into the file itself"),
        ("config.chains", "chains of one profile, or of one account: nothing to fall back to"),
        ("config.limits", "free profiles without limits, where the catalogue knows them"),
    ),
    *_checks(
        Part.KEYS,
        ("env.file", "lines of the `.env` that say nothing"),
        ("env.key", "whether each profile's key is set"),
        (
            "env.key_form",
            "blanks, quotes and line breaks in keys, their length, and words that stand for one",
            "takes blanks and quotes out of the `.env`",
        ),
        ("env.key_owner", "keys that begin like another provider's"),
        ("env.shadowed", "variables of the environment that hide another value in the `.env`"),
        (
            "env.proxy",
            "proxy variables, and whether `NO_PROXY` leaves this machine out",
            "writes `NO_PROXY` to the `.env`",
        ),
    ),
    *_checks(
        Part.NETWORK,
        (
            "net.dns",
            "whether each host has an address, and a second resolver's word (`--resolver`)",
        ),
        ("net.tcp", "whether a connection comes about, or the proxy takes one"),
        ("net.tls", "the certificate: chain, name, dates, and who signed it (interception)"),
        ("net.clock", "this machine's clock against the `Date` of answers"),
        ("net.http", "whether what answers is an API at that address"),
    ),
    *_checks(
        Part.PROVIDERS,
        ("provider.key", "whether the provider takes the key, where that can be asked for nothing"),
        ("provider.model", "whether it has the model, the nearest names, and a retired one's heir"),
        ("provider.limits", "what its headers say is left"),
        ("provider.completion", "one real answer of one token (`--live` alone)"),
    ),
    *_checks(
        Part.SERVERS,
        (
            "server.local",
            "each local server of a profile (Ollama, LM Studio, llama.cpp, vLLM, LiteLLM): port, health, models",
        ),
        ("server.unused", "local servers that answer and that no profile uses"),
        ("server.version", "versions of LiteLLM that are known to leak memory"),
        ("server.managed", "memory and age of the servers that the gateway runs"),
    ),
    *_checks(
        Part.STATE,
        (
            "port.gateway",
            "whether the gateway's port is free, who has it, the next free one",
            "writes the next free port to the configuration",
        ),
        ("port.running", "whether the gateway that runs can serve, and is of this version"),
        (
            "state.file",
            "whether the state file is whole, ours, and of a version that is known",
            "moves a damaged one aside",
        ),
        ("state.size", "how large it has grown"),
        ("state.locks", "who holds it, and whether one of them stops the others"),
        ("state.disk", "whether the folder can be written and the disk has room"),
        (
            "state.permissions",
            "who else can read the state",
            "makes it readable by you alone",
        ),
        (
            "state.leftovers",
            "what killed processes left: keys that nothing names, unfinished files, unpacked backups",
            "deletes what is certainly Spillover's and older than an hour",
        ),
    ),
    *_checks(
        Part.MACHINE,
        ("system.versions", "Spillover, Python, SQLite and OpenSSL"),
        ("system.loopback", "whether this machine may talk to itself (antivirus, sandboxes)"),
        ("system.antivirus", "what to exclude where an antivirus holds Python up (Windows)"),
        ("system.firewall", "what has to be open when other machines use the gateway"),
    ),
)
BY_NAME: Final = {check.name: check for check in CHECKS}


def rank(name: str) -> int:
    """Return the place of a check in the table."""
    return CHECKS.index(BY_NAME[name])


def page() -> str:
    """Return the table of the documentation."""
    lines: list[str] = []
    for part in Part:
        lines += [f"### {part}", "", "| check | looks at | `--fix` |", "| --- | --- | --- |"]
        lines += [
            f"| `{check.name}` | {check.looks_at} | {check.fixes} |"
            for check in CHECKS
            if check.part is part
        ]
        lines.append("")
    return "\n".join(lines) + "\n"


_MARKS: Final = ("<!-- checks: written by make docs -->", "<!-- end of the checks -->")


def written_into(text: str) -> str:
    """Return a page with the table between its marks."""
    before, begin, rest = text.partition(_MARKS[0])
    _, end, after = rest.partition(_MARKS[1])
    return f"{before}{begin}\n\n{page()}{end}{after}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(written_into(target.read_text("utf-8")), "utf-8")

"""Judge keys by their form, never by their value: what goes in is masked, and so is what comes out.

Refuses to know where keys are kept.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spillover.config.secrets import masked
from spillover.core.values import Value
from spillover.doctor.findings import Finding, Level, TidyVariable
from spillover.doctor.systems import Act, System, command

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENT: Final = "the environment"
QUOTES: Final = "\"'`\u201c\u201d\u2018\u2019\u00ab\u00bb"
"""Straight ones, and those that word processors make of them."""
SHORTEST: Final = 16
"""No provider's keys are shorter."""

_PREFIXES: Final[tuple[tuple[str, str, int], ...]] = (
    # How keys begin, whose they are, and the fewest characters one has. Longer beginnings first.
    # From the redaction rules of GitHub's secret scanning and the providers' own examples.
    ("sk-ant-", "anthropic", 40),
    ("sk-or-", "openrouter", 40),
    ("sk-proj-", "openai", 40),
    ("sk-svcacct-", "openai", 40),
    ("github_pat_", "github-models", 40),
    ("nvapi-", "nvidia", 40),
    ("gsk_", "groq", 40),
    ("csk-", "cerebras", 30),
    ("AIza", "gemini", 39),
    ("xai-", "xai", 40),
    ("pplx-", "perplexity", 30),
    ("cpk_", "chutes", 30),
    ("ghp_", "github-models", 36),
    ("hf_", "huggingface", 30),
    ("fw_", "fireworks", 20),
)
_ALWAYS: Final = frozenset({"anthropic", "openrouter", "groq", "cerebras", "nvidia", "xai"})
"""Providers whose keys all begin in their own way."""
KEY_PAGES: Final = {
    "anthropic": "https://console.anthropic.com/settings/keys",
    "cerebras": "https://cloud.cerebras.ai",
    "deepseek": "https://platform.deepseek.com/api_keys",
    "gemini": "https://aistudio.google.com/apikey",
    "groq": "https://console.groq.com/keys",
    "huggingface": "https://huggingface.co/settings/tokens",
    "mistral": "https://console.mistral.ai/api-keys",
    "nvidia": "https://build.nvidia.com",
    "openai": "https://platform.openai.com/api-keys",
    "openrouter": "https://openrouter.ai/settings/keys",
    "xai": "https://console.x.ai",
}
"""Where providers make keys."""
_PLACEHOLDER: Final = re.compile(
    r"your|change.?me|placeholder|<.*>|\.\.\.|x{5,}|paste|replace|insert|dummy", re.IGNORECASE
)


class Form(Value, frozen=True, kw_only=True):
    """What a key looks like."""

    shown: str
    """Masked."""
    length: int
    around: bool = False
    """Blanks stand before or behind it."""
    within: bool = False
    """Blanks, line breaks or other signs that no key has stand in it."""
    quoted: bool = False
    is_placeholder: bool = False
    owner: str = ""
    """The provider whose keys begin like it; empty: not known."""
    shortest: int = SHORTEST


def tidied(raw: str) -> str:
    """Return a key without the blanks and quotes around it."""
    before, value = None, raw
    while value != before:
        before, value = value, value.strip().strip(QUOTES)
    return value


def form_of(raw: str) -> Form:
    """Return what a key looks like."""
    key = tidied(raw)
    owner, shortest = next(
        ((owner, least) for prefix, owner, least in _PREFIXES if key.startswith(prefix)),
        ("", SHORTEST),
    )
    return Form(
        shown=masked(key),
        length=len(key),
        around=raw != raw.strip() or key != key.strip(),
        within=any(sign.isspace() or not sign.isprintable() for sign in key),
        quoted=any(mark in raw for mark in QUOTES),
        is_placeholder=_PLACEHOLDER.search(key) is not None,
        owner=owner,
        shortest=shortest,
    )


class Key(Value, frozen=True, kw_only=True):
    """The key of a profile, as far as it may be known."""

    profile: str
    provider: str
    """Its id in the catalogue; `custom` for another address."""
    variables: tuple[str, ...] = ()
    """Where it is looked for, the usual one first."""
    place: str = ENVIRONMENT
    """Where the variable was found: the environment or the `.env`."""
    form: Form | None = None
    missing: str = ""
    """What is missing: `GROQ_API_KEY is not set`."""
    near: str = ""
    """A variable that is set and called nearly so."""
    is_own_address: bool = True
    """It goes to the provider's own address, where the forms of keys are known."""

    @property
    def key_page(self) -> str:
        """Where the provider's keys are made; empty: not known."""
        return KEY_PAGES.get(self.provider, "")


class Surroundings(Value, frozen=True, kw_only=True):
    """What the keys come from."""

    env_path: Path
    env_exists: bool = False
    odd_lines: tuple[int, ...] = ()
    """Lines of the `.env` that say nothing and are no comments."""
    shadowed: tuple[str, ...] = ()
    """Variables that the environment and the `.env` give different values."""


def surroundings(found: Surroundings, system: System) -> Iterator[Finding]:
    """Yield what is odd about the `.env`."""
    about = str(found.env_path)
    if found.odd_lines:
        lines = ", ".join(map(str, found.odd_lines[:5]))
        yield Finding(
            check="env.file",
            level=Level.WARNING,
            about=about,
            saw=f"nothing can be read from line {lines}",
            why="a line is NAME=value; what it was to set is not set",
            remedy="write it as NAME=value, without blanks in the name",
        )
    else:
        saw = "every line can be read" if found.env_exists else "there is none"
        yield Finding(check="env.file", about=about, saw=saw)
    for name in found.shadowed:
        yield Finding(
            check="env.shadowed",
            level=Level.WARNING,
            about=name,
            saw=f"the environment and {about} have different values",
            why="the environment's counts: a new key in the file does nothing",
            remedy={
                System.WINDOWS: f'Remove-Item "Env:{name}"; '
                f'[Environment]::SetEnvironmentVariable("{name}", $null, "User")',
            }.get(system, f"unset {name}")
            + "\nthen start the gateway anew from that shell",
        )


def keys(found: tuple[Key, ...], around: Surroundings, system: System) -> Iterator[Finding]:
    """Yield what is wrong with the profiles' keys."""
    for key in found:
        if key.missing:
            yield _missing(key, around, system)
        elif key.form is not None:
            faults = [*_form(key, key.form, around), *_owner(key, key.form)]
            yield Finding(
                check="env.key",
                about=key.profile,
                saw=f"{key.form.shown}, {key.form.length} characters"
                + (f", from {key.variables[0]} in {key.place}" if key.variables else ""),
            )
            yield from faults
        else:
            yield Finding(check="env.key", about=key.profile, saw="none is asked for")


def _missing(key: Key, around: Surroundings, system: System) -> Finding:
    variable = key.variables[0] if key.variables else ""
    near = f"; {key.near} is set: is that the one?" if key.near else ""
    session = command(system, Act.SET_VARIABLE, name=variable, value="…") if variable else ""
    steps = [f"echo '{variable}=…' >> {around.env_path}", f"or {session}"] if variable else []
    where = f"make one at {key.key_page}" if key.key_page else ""
    return Finding(
        check="env.key",
        level=Level.PROBLEM,
        about=key.profile,
        saw=f"{key.missing}{near}",
        why="the profile starts as failed (key_missing) and nothing is sent to it",
        remedy="\n".join(filter(None, [*steps, where])) or "give the profile an api_key",
    )


def _form(key: Key, form: Form, around: Surroundings) -> Iterator[Finding]:
    in_file = key.place != ENVIRONMENT and bool(key.variables)
    fix = TidyVariable(path=around.env_path, name=key.variables[0]) if in_file else None
    source = key.variables[0] if key.variables else "the key"
    rows = (
        (form.quoted, Level.PROBLEM, "has quotes in it", "they are sent with it", True),
        (
            form.around and not form.quoted,
            Level.WARNING,
            "has blanks around it",
            "Spillover leaves them out; other programs send them",
            True,
        ),
        (form.within, Level.PROBLEM, "has a blank or a line break in it", "no key has", False),
        (
            form.is_placeholder,
            Level.PROBLEM,
            f"is {form.shown}, which looks like the words that stand for a key",
            "no provider takes it",
            False,
        ),
        (
            key.is_own_address and not form.is_placeholder and form.length < form.shortest,
            Level.WARNING,
            f"has {form.length} characters, and such keys have {form.shortest} at least",
            "it may have been cut when it was copied",
            False,
        ),
    )
    for holds, level, saw, why, mends in rows:
        if holds:
            yield Finding(
                check="env.key_form",
                level=level,
                about=key.profile,
                saw=f"{source} in {key.place} {saw}",
                why=why,
                remedy=f"set {source} to the bare key"
                + ("\nspillover doctor --fix" if mends and fix else ""),
                fix=fix if mends else None,
            )


def _owner(key: Key, form: Form) -> Iterator[Finding]:
    if not key.is_own_address or form.is_placeholder:
        return
    source = key.variables[0] if key.variables else "the key"
    if form.owner and form.owner != key.provider:
        yield Finding(
            check="env.key_owner",
            level=Level.PROBLEM,
            about=key.profile,
            saw=f"{source} is {form.shown}, which begins like a key of {form.owner}",
            why=f"{key.provider} refuses it, and may log it",
            remedy=f"set {source} to a key of {key.provider}"
            + (f" ({key.key_page})" if key.key_page else ""),
        )
    elif not form.owner and key.provider in _ALWAYS:
        begins = next(prefix for prefix, owner, _ in _PREFIXES if owner == key.provider)
        yield Finding(
            check="env.key_owner",
            level=Level.WARNING,
            about=key.profile,
            saw=f"{source} is {form.shown}, and keys of {key.provider} begin with {begins}",
            why="it is probably another provider's, or cut at its beginning",
            remedy=f"set {source} to a key of {key.provider}"
            + (f" ({key.key_page})" if key.key_page else ""),
        )

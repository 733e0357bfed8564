"""`spillover errors`: the guide to errors, and what an error is that somebody pastes."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final
from urllib.parse import urlsplit

import msgspec
import typer

from spillover import catalogue as packaged
from spillover.catalogue.conduct import conduct, somebody
from spillover.catalogue.guide import conduct_of, does, load, model_in
from spillover.cli import NO, screen
from spillover.cli.guidance import overview, portrait, verdict
from spillover.cli.options import JsonOption
from spillover.clock import SystemClock
from spillover.errors import RequestError
from spillover.protocols.pasted import read_pasted
from spillover.protocols.records import classify, failure_of, is_recognised

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spillover.catalogue import GuessedWait
    from spillover.catalogue.guide import Guide, GuideEntry
    from spillover.core.values import Failure

app = typer.Typer()

STDIN: Final = "-"


@app.command()
def errors(
    code: Annotated[
        str | None,
        typer.Argument(metavar="CODE | -", help="A code or name; - reads an error from here."),
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option("--provider", help="Whose error it is that is read; else it is guessed."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Explain errors: what they mean, what helps, and what Spillover does.

    With - it reads an error as you paste it: a body, an answer with its headers (curl -i), an
    exception, a line of a log. With - and --json it reads JSON Lines of {provider, status, headers,
    body, exception, stream, now} and prints a line for each; exits with 1 if a line can't be read.
    """
    if code == STDIN:
        if json:
            raise typer.Exit(NO if _each_line(sys.stdin.buffer, provider) else 0)
        _explain(sys.stdin.buffer.read().decode("utf-8", "replace"), provider)
        return
    guide = load()
    if code is None:
        if json:
            entries = [document(guide, entry) for entry in guide.entries]
            screen.show_json({"as_of": guide.as_of, "errors": entries})
        else:
            screen.show(overview(guide, width=screen.width()))
        return
    entry = guide.find(code)
    if entry is None:
        raise RequestError(f"no error is called {code!r}{_hint(guide.nearest(code))}")
    if json:
        screen.show_json(document(guide, entry))
    else:
        screen.show(portrait(guide, entry, waits_of(entry), width=screen.width()))


def _hint(near: tuple[str, ...]) -> str:
    if not near:
        return " (spillover errors lists them; paste the error itself into spillover errors -)"
    return f"; did you mean {' or '.join(map(repr, near))}?"


def document(guide: Guide, entry: GuideEntry) -> dict[str, Any]:
    """Return an entry as plain values, with what Spillover does as values and as sentences."""
    group = next(each for each in guide.groups if each.id == entry.group)
    return {
        **msgspec.to_builtins(entry),
        "spillover": {"does": does(entry), "conduct": msgspec.to_builtins(conduct_of(entry))},
        "alike": guide.alike(entry),
        "waits": msgspec.to_builtins(waits_of(entry)),
        "source": group.source,
        "as_of": guide.as_of,
    }


def waits_of(entry: GuideEntry) -> tuple[GuessedWait, ...]:
    """Return the catalogue's waits of the provider whose limit an entry is about."""
    what = conduct_of(entry)
    if what is None or what.failure.value not in {"rate_limited", "quota_exhausted"}:
        return ()
    provider = packaged.load().provider(str((entry.seen or {}).get("provider")))
    return () if provider is None else provider.guessed_waits


def _explain(text: str, provider: str | None) -> None:
    if not text.strip():
        raise RequestError("nothing was given to read: paste an error on standard input")
    own = own_entry(text)
    if own is not None:
        screen.show(portrait(load(), own, (), width=screen.width()))
        return
    now = SystemClock().now()
    whose = provider or provider_in(text)
    record = {**read_pasted(text), "provider": whose}
    record.setdefault("now", now)
    failure = failure_of(record)
    if failure is None:
        screen.show(["no failure: this is an answer, or a part of one"])
        return
    if not is_recognised(record):
        raise RequestError(
            "nothing in it was recognised as an error: no status, code or exception, and no words "
            "that are known (spillover errors lists what is)"
        )
    profile = somebody(packaged.load(), whose, model_in(whose, text))
    what = conduct(failure, profile, now=now)
    entry = entry_of(failure, text)
    screen.show(verdict(failure, what, entry, provider=whose, width=screen.width()))


def entry_of(failure: Failure, text: str) -> GuideEntry | None:
    """Return the guide's entry that fits a failure best: a broken connection's own, else its class's."""
    guide = load()
    if failure.status is None:
        for entry in guide.of_group("connection"):
            if re.search(rf"\b{entry.code}\b", text):
                return entry
    return guide.find(failure.failure.value)


_OWN_TYPE: Final = re.compile(r"""["']type["']\s*:\s*["']spillover_error["']""")
_CODE: Final = re.compile(r"""["']code["']\s*:\s*["'](?P<code>\w+)["']""")


def own_entry(text: str) -> GuideEntry | None:
    """Return the guide's entry of an answer that Spillover made itself; None: another's."""
    code = _CODE.search(text) if _OWN_TYPE.search(text) else None
    entry = load().find(code["code"]) if code else None
    return entry if entry is not None and entry.group == "own" else None


def provider_in(text: str) -> str:
    """Return the provider whose address, or part of it, a text names; "" where it names none."""
    spoken = text.lower()
    hosts = {
        urlsplit(entry.base_url).hostname or "": entry.id
        for entry in packaged.load().providers.values()
    }
    found = [host for host in hosts if host and host in spoken]
    if found:
        return hosts[max(found, key=len)]
    domains = [".".join(host.split(".")[-2:]) for host in hosts]
    for host, provider in hosts.items():
        domain = ".".join(host.split(".")[-2:])
        if "." in domain and domains.count(domain) == 1 and domain in spoken:
            return provider
    return ""


def _each_line(lines: Iterable[bytes] | BinaryIO, provider: str | None) -> int:
    """Classify each line of JSON as it comes; return how many could not be read."""
    failed = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            failed += 1
            said: Any = {"error": f"line {number}: {error}"}
        else:
            said = classify({"provider": provider or "", **record})
        sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
        sys.stdout.flush()
    return failed

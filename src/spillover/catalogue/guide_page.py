"""Make `docs/errors.md` out of the error guide and the core's table of failures.

`python -m spillover.catalogue.guide_page docs/errors.md` writes it; a test fails when it is stale.
Refuses to say anything that the guide, the catalogue and the core don't, but for the introduction.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spillover.catalogue.guide import does, load
from spillover.catalogue.lookup import load as load_catalogue
from spillover.core.refusals import span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.catalogue.entries import GuessedWait

_INTRODUCTION: Final = """\
# Errors

<!-- Made from the guide by `make docs`: change src/spillover/catalogue/errors.json instead. -->

What codes mean, what helps, who answers meanwhile, and what Spillover does about each.
`spillover errors 429` shows one, by any of its names; `spillover errors -` says what an error is that
you paste: a body, an answer with its headers, an exception, a log line.

```console
$ spillover errors groq-rate-limit
Rate limit reached  groq-rate-limit
…
$ printf 'HTTP/1.1 429 Too Many Requests\\nretry-after: 7\\n\\n{"error": {"message": "slow down"}}' | spillover errors -
rate_limited …
…
```

What Spillover does is read off the code that does it, for an answer that states no wait of its own;
where it states one, that counts. A chain may set `retries` and `cooldown` of its own by class: see
[the configuration](configuration.md).
"""
_WAITS: Final = """
## Waits where none is stated

A refusal that says which limit is spent, but not until when, is waited out so, as a guess; a second
one in a row doubles it. These are [the catalogue's](catalogue.md), so that you may change them.

| provider | model | spent | known as | begins with | wait | instead |
| --- | --- | --- | --- | --- | --- | --- |"""


def page() -> str:
    """Return the text of the page."""
    guide = load()
    parts = [_INTRODUCTION]
    for group in guide.groups:
        parts += [f"## {group.title}", ""]
        parts += ["| code | is | cause | what helps | meanwhile | Spillover |"]
        parts += ["| --- | --- | --- | --- | --- | --- |"]
        parts += [
            _row(
                f"`{entry.code}`",
                entry.title,
                entry.cause,
                entry.resolution,
                entry.fallback,
                " ".join(does(entry)),
            )
            for entry in guide.of_group(group.id)
        ]
        parts += ["", f"As of {guide.as_of}: {group.source}.", ""]
    parts[-1:] = [_WAITS, *_waits()]
    return "\n".join(parts) + "\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _waits() -> Iterator[str]:
    found: set[tuple[str, str]] = set()
    for entry in load_catalogue().providers.values():
        for row in entry.guessed_waits:
            found.add((row.as_of, row.source))
            yield _row(
                entry.id,
                ", ".join(f"`{name}`" for name in row.models),
                f"{row.metric.value} per {row.per}",
                "" if row.amount is None else f"{row.amount:,.0f}",
                row.says or "",
                wait_of(row),
                f"`{row.instead}`" if row.instead else "",
            )
    yield from ("", *(f"As of {as_of}: {source}." for as_of, source in sorted(found)))


def wait_of(row: GuessedWait) -> str:
    """Return a guessed wait in words."""
    return f"until the {row.per} ends (UTC)" if row.wait_s is None else span(row.wait_s)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), "utf-8")

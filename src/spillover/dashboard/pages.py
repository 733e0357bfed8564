"""Render the dashboard's pages and their parts from templates.

Jinja and the templates are loaded when the first page is asked for: a gateway that nobody looks at
does not pay for them. Refuses to know HTTP, and where the figures come from.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.dashboard import terms
from spillover.dashboard.assets import assets
from spillover.dashboard.sentences import sentences
from spillover.dashboard.words import LANGUAGES, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jinja2 import Environment

THEMES: Final = ("auto", "light", "dark")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How a reader wants the pages."""

    language: str = "en"
    theme: str = "auto"


@cache
def environment() -> Environment:
    """Return the templates."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - see above

    found = Environment(
        loader=PackageLoader("spillover.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.globals.update(
        asset=assets().addresses.__getitem__, terms=terms, languages=LANGUAGES, themes=THEMES
    )
    return found


def render(template: str, look: Look, context: Mapping[str, Any]) -> str:
    """Return a template's text in a reader's language."""
    return "".join(rendering(template, look, context))


def rendering(template: str, look: Look, context: Mapping[str, Any]) -> Iterator[str]:
    """Yield a template's text piece by piece: what a piece shows is looked at when it is asked for."""
    said, retold = words(look.language), sentences(look.language)

    def term(table: Mapping[str, str], name: str | None) -> Any:
        """Say a name of the record, or what stands in its place."""
        if name is not None and name in table:
            return said(table[name])
        return retold((name or "").replace("_", " "))

    found = environment().get_template(template)
    return found.generate(_=said, term=term, retold=retold, look=look, lang=said.tag, **context)


SCRIPT_WORDS: Final = (
    "%(profile)s is now number %(place)s.",
    "A name stands there twice.",
    "Changed.",
    "Copied.",
    "Each place wants at least one kind of notice.",
    "The file can't be used:",
    "answered",
    "answered in %(time)s",
    "is asked",
    "nobody left",
    "Undo",
    "Undone: back to version %(version)s.",
)
"""What the pages' scripts say."""


def script_words(look: Look) -> dict[str, Any]:
    """Return what the pages' scripts say, in a reader's language, and why profiles don't serve."""
    said = words(look.language)
    spoken: dict[str, Any] = {message: said.plain(message) for message in SCRIPT_WORDS}
    return spoken | {"reasons": {name: said.plain(why) for name, why in terms.REASON.items()}}

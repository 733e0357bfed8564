"""Draw a status document: each chain as a ladder, each profile with its limits as bars.

Refuses to know the engine and the clock: what it draws is the document that the gateway answers
and `status --json` prints, seen at a given instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from spillover.cli.bars import bar, shade
from spillover.cli.wording import amount, back_in, instant, limit_name, span, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SERVING: Final = "▸"
DOT: Final = "●"
COMES_BACK: Final = "↻"
COLOURS: Final = {
    "active": "green",
    "cooldown": "yellow",
    "exhausted": "magenta",
    "failed": "red",
    "disabled": "bright_black",
}
INDENT: Final = 7
BAR_LEAST: Final = 8
BAR_MOST: Final = 32
WIDTH: Final = 100
"""Columns that are drawn for where nobody knows how many there are."""


def ladders(document: dict[str, Any], *, now: float, width: int | None) -> list[Text]:
    """Return the lines of a status document at `now`.

    `width` is the terminal's columns: no line is longer, and what doesn't fit ends in `…`. None: a
    pipe, whose lines are as long as they must be.
    """
    profiles = document["profiles"]
    drawing = _Drawing(profiles, now=now, width=width)
    lines: list[Text] = []
    for name, chain in document["chains"].items():
        lines += [drawing.head(name, chain), Text()]
        for rank, profile in enumerate(chain["profiles"], 1):
            serving = profile == chain["serving"]
            lines += drawing.rung(profile, mark=SERVING if serving else " ", rank=str(rank))
        lines.append(Text())
    chained = {name for chain in document["chains"].values() for name in chain["profiles"]}
    loose = [name for name in profiles if name not in chained]
    if loose:
        lines += [Text("in no chain", "bold"), Text()]
        for name in loose:
            lines += drawing.rung(name, mark=" ", rank="")
        lines.append(Text())
    while lines and not lines[-1].plain:
        lines.pop()
    return [_fitted(line, width) for line in lines]


class _Drawing:
    """One drawing of a document; a profile's limits are drawn where it first appears."""

    def __init__(self, profiles: dict[str, Any], *, now: float, width: int | None) -> None:
        self._profiles = profiles
        self._now = now
        self._width = width or WIDTH
        self._drawn: set[str] = set()
        self._name_cells = max((len(name) for name in profiles), default=0)
        limits = [limit for profile in profiles.values() for limit in profile["limits"]]
        self._limit_cells = max((len(limit_name(limit)) for limit in limits), default=0)
        figures = max((len(figures_of(limit, now).plain) for limit in limits), default=0)
        room = self._width - INDENT - self._limit_cells - figures - 4
        self._bar_cells = max(BAR_LEAST, min(BAR_MOST, room))

    def head(self, name: str, chain: dict[str, Any]) -> Text:
        """Return a chain's own line."""
        line = Text(name, "bold")
        line.append(f"  {words(chain['strategy'])}", "dim")
        if chain["routing_policy"] != "any":
            line.append(f" · {chain['routing_policy']}", "dim")
        if chain["pinned"]:
            alone = " alone" if chain["pinned_strictly"] else ""
            line.append(f" · pinned to {chain['pinned']}{alone}", "cyan")
        if chain["serving"]:
            line.append("  next: ", "dim").append(chain["serving"], "green")
        else:
            line.append("  nobody can serve now", "red")
            line.append(self._soonest(chain["profiles"]), "red")
        return line

    def _soonest(self, names: Iterable[str]) -> str:
        entries = [self._profiles[name] for name in names]
        times = [entry["until"] for entry in entries if entry["until"] and _waits(entry)]
        return f", soonest {back_in(min(times), self._now)}" if times else ""

    def rung(self, name: str, *, mark: str, rank: str) -> Iterator[Text]:
        """Yield a profile's lines."""
        profile = self._profiles[name]
        status = profile["status"]
        line = Text(f"{mark} ", "bold green").append(f"{rank:>2}  ", "dim")
        line.append(name.ljust(self._name_cells), "bold" if mark.strip() else "")
        line.append(f"  {DOT} {status:<9}", COLOURS[status])
        line.append(f"  {profile['tier']:<5}", "dim")
        line.append(f"  {self._cause(profile)}")
        line.rstrip()
        yield line
        if name in self._drawn:
            return
        self._drawn.add(name)
        yield from self._details(profile)
        yield Text()

    def _details(self, profile: dict[str, Any]) -> Iterator[Text]:
        error = profile["last_error"]
        if error and profile["status"] != "active" and error["message"]:
            line = Text(" " * INDENT)
            yield line.append(" ".join(error["message"].split()), "dim italic")
        for limit in profile["limits"]:
            yield self._limit(limit)
        yield Text(" " * INDENT).append_text(usage_of(profile["usage"]))

    def _limit(self, limit: dict[str, Any]) -> Text:
        line = Text(" " * INDENT).append(limit_name(limit).ljust(self._limit_cells), "dim")
        drawn = bar(limit["used"], limit["reserved"], limit["amount"], width=self._bar_cells)
        return (
            line.append("  ").append_text(drawn).append("  ").append(figures_of(limit, self._now))
        )

    def _cause(self, profile: dict[str, Any]) -> str:
        parts = [words(profile["reason"]), back_in(profile["until"], self._now)]
        if profile["status"] == "cooldown" and profile["confidence"] == "guessed":
            parts.append("a guess")
        return ", ".join(part for part in parts if part)


def figures_of(limit: dict[str, Any], now: float) -> Text:
    """Return a limit's figures: `812/6,000 · 200 held · 4,988 left · ↻ 42 s`, when some comes back."""
    metric, used, reserved = limit["metric"], limit["used"], limit["reserved"]
    text = Text()
    if limit["per"] is None:
        text.append(
            f"{amount(reserved)}/{amount(limit['amount'])}", shade(reserved, limit["amount"])
        )
        return text
    taken = shade(used + reserved, limit["amount"])
    text.append(f"{amount(used, metric)}/{amount(limit['amount'], metric)}", taken)
    if reserved:
        text.append(f" · {amount(reserved, metric)} held", "cyan")
    text.append(f" · {amount(limit['remaining'], metric)} left")
    stated = limit["provider_remaining"]
    if stated is not None and stated < limit["remaining"]:
        text.append(f" ({amount(stated, metric)} says the provider)", "yellow")
    if limit["resets_at"] and used:
        text.append(f" · {COMES_BACK} {span(instant(limit['resets_at']) - now)}", "dim")
    return text


def usage_of(usage: dict[str, dict[str, int]]) -> Text:
    """Return what was used in the last minute, hour and day: requests and tokens of each."""
    if not any(usage["day"].values()):
        return Text("nothing used in the last day", "dim")
    text = Text("last ", "dim")
    for place, (name, used) in enumerate(usage.items()):
        text.append(" · " if place else "", "dim")
        text.append(f"{name} {amount(used['requests'])} req {amount(used['tokens'])} tok", "dim")
    return text


def _waits(profile: dict[str, Any]) -> bool:
    return profile["status"] in {"cooldown", "exhausted"}


def _fitted(line: Text, width: int | None) -> Text:
    if width is not None:
        line.truncate(width, overflow="ellipsis")
    return line

"""Draw a status document: each chain as a ladder, each profile with its limits as bars.

Refuses to know the engine and the clock: what it draws is the document that the gateway answers
and `status --json` prints, seen at a given instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from spillover.cli.bars import bar, shade
from spillover.cli.spans import span
from spillover.cli.wording import amount, back_in, trust, words
from spillover.engine.glance import limit_initials, limit_name
from spillover.events.kinds import instant

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
OF_THE_CHAIN: Final = frozenset({"policy", "privacy", "spend_gate", "hours"})
"""Why a chain leaves a profile out, however the profile itself stands."""
INDENT: Final = 7
BETWEEN: Final = " · "
LAST: Final = "last "
BAR_LEAST: Final = 8
BAR_MOST: Final = 32
WIDTH: Final = 100
"""Columns that are drawn for where nobody knows how many there are."""


def ladders(document: dict[str, Any], *, now: float, width: int | None) -> list[Text]:
    """Return the lines of a status document at `now`.

    `width` is the terminal's columns: no line is longer; causes and figures that don't fit go on in
    the next one, and names and messages end in `…`. None: a pipe, whose lines are as long as they
    must be.
    """
    profiles = document["profiles"]
    drawing = _Drawing(profiles, now=now, width=width)
    lines: list[Text] = []
    for name, chain in document["chains"].items():
        lines += [*drawing.head(name, chain), Text()]
        for rank, profile in enumerate(chain["profiles"], 1):
            serving = profile == chain["serving"]
            mark = SERVING if serving else " "
            lines += drawing.rung(profile, mark=mark, rank=str(rank), chain=chain)
        if lines[-1].plain:
            lines.append(Text())
    chained = {name for chain in document["chains"].values() for name in chain["profiles"]}
    loose = [name for name in profiles if name not in chained]
    if loose:
        lines += [Text("in no chain", "bold"), Text()]
        for name in loose:
            lines += drawing.rung(name, mark=" ", rank="", chain=None)
        lines.append(Text())
    while lines and not lines[-1].plain:
        lines.pop()
    return [_fitted(line, width) for line in lines]


class _Drawing:
    """One drawing of a document; a profile's limits are drawn where it first appears."""

    def __init__(self, profiles: dict[str, Any], *, now: float, width: int | None) -> None:
        self._profiles = profiles
        self._now = now
        self._room = width
        self._width = width or WIDTH
        self._drawn: set[str] = set()
        self._name_cells = max((len(name) for name in profiles), default=0)
        limits = [limit for profile in profiles.values() for limit in profile["limits"]]
        self._limit_cells = max((len(limit_name(limit)) for limit in limits), default=0)
        figures = max((_cells(figures_of(limit, now)) for limit in limits), default=0)
        room = self._width - INDENT - self._limit_cells - figures - 4
        self._bar_cells = max(BAR_LEAST, min(BAR_MOST, room))

    def head(self, name: str, chain: dict[str, Any]) -> list[Text]:
        """Return a chain's own line."""
        line = Text(name, "bold")
        line.append(f"  {words(chain['strategy'])}", "dim")
        if chain["routing_policy"] != "any":
            line.append(f" · {chain['routing_policy']}", "dim")
        if chain["pinned"]:
            alone = " alone" if chain["pinned_strictly"] else ""
            line.append(f" · pinned to {chain['pinned']}{alone}", "cyan")
        if chain["serving"]:
            following = [Text("next: ", "dim").append(chain["serving"], "green")]
        else:
            following = [
                Text("nobody can serve now", "red"),
                *(Text(soonest, "red") for soonest in self._soonest(chain)),
            ]
        return self._wrapped(line, following, between=", ")

    def _soonest(self, chain: dict[str, Any]) -> list[str]:
        times = [each["available_at"] for each in chain["skipped"] if each["available_at"]]
        return [f"soonest {back_in(min(times), self._now)}"] if times else []

    def rung(
        self, name: str, *, mark: str, rank: str, chain: dict[str, Any] | None
    ) -> Iterator[Text]:
        """Yield a profile's lines, in a chain or in none."""
        profile = self._profiles[name]
        status = profile["status"]
        line = Text(f"{mark} ", "bold green").append(f"{rank:>2}  ", "dim")
        line.append(name.ljust(self._name_cells), "bold" if mark.strip() else "")
        line.append(f"  {DOT} {status:<9}", COLOURS[status])
        line.append(f"  {profile['tier']:<5}", "dim")
        skipped = {each["profile"]: each for each in (chain or {"skipped": ()})["skipped"]}
        causes = [Text(cause) for cause in self._cause(profile, skipped.get(name))]
        yield from self._wrapped(line, causes, between=", ")
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
        health = profile["health"]
        if health["condition"] != "healthy" and health["outcomes"]:
            line = Text(" " * INDENT).append(health["condition"], "yellow")
            line.append(f": {health['reliability']:.0%} answered", "dim")
            yield line.append(f" of the last {health['outcomes']}", "dim")
        for limit in profile["limits"]:
            yield from self._limit(limit)
            if limit["provider_limit"] not in {None, limit["amount"]}:
                yield Text(" " * INDENT).append(_proposal(profile["provider"], limit), "yellow")
        own = {(limit["metric"], limit["per"]) for limit in profile["limits"]}
        for said in profile["provider_limits"]:
            if said["per"] == "balance" and said["remaining"] is not None:
                yield Text(" " * INDENT).append(_balance(profile["provider"], said), "dim")
            elif said["amount"] is not None and (said["metric"], said["per"]) not in own:
                yield Text(" " * INDENT).append(_unset(profile["provider"], said), "dim")
        yield from self._wrapped(
            Text(" " * INDENT), usage_of(profile["usage"]), indent=INDENT + len(LAST)
        )

    def _limit(self, limit: dict[str, Any]) -> list[Text]:
        line = Text(" " * INDENT).append(limit_name(limit).ljust(self._limit_cells), "dim")
        drawn = bar(limit["used"], limit["reserved"], limit["amount"], width=self._bar_cells)
        line.append("  ").append_text(drawn)
        return self._wrapped(line, figures_of(limit, self._now), indent=INDENT + 2)

    def _wrapped(
        self, start: Text, parts: Iterable[Text], *, indent: int = INDENT, between: str = BETWEEN
    ) -> list[Text]:
        """Return `start` and the parts behind it, further lines beginning at `indent`."""
        lines = [start]
        joint = "  " if start.plain.strip() else ""
        for part in parts:
            taken = lines[-1].cell_len + len(joint) + part.cell_len
            if self._room is not None and taken > self._room and lines[-1].plain.strip():
                lines.append(Text(" " * indent))
                joint = ""
            lines[-1].append(joint, "dim").append_text(part)
            joint = between
        for line in lines:
            line.rstrip()
        return lines

    def _cause(self, profile: dict[str, Any], skipped: dict[str, Any] | None) -> list[str]:
        if skipped and (profile["status"] == "active" or skipped["reason"] in OF_THE_CHAIN):
            back = back_in(skipped["available_at"], self._now)
            why = f"{words(skipped['reason'])}: {words(skipped['detail'])}"
            return [why, back] if back else [why]
        parts = [words(profile["reason"]), back_in(profile["until"], self._now)]
        if profile["status"] != "failed":
            parts += trust(profile, self._now)
        return [part for part in parts if part]


def figures_of(limit: dict[str, Any], now: float) -> list[Text]:
    """Return a limit's figures: `812/6,000`, `200 held`, `4,988 left`, `↻ 42 s`."""
    metric, used, reserved = limit["metric"], limit["used"], limit["reserved"]
    if limit["per"] is None:
        shown = f"{amount(reserved)}/{amount(limit['amount'])}"
        learned = [Text("learned from refusals", "dim")] if limit["source"] == "refusals" else []
        return [Text(shown, shade(reserved, limit["amount"])), *learned]
    taken = f"{amount(used, metric)}/{amount(limit['amount'], metric)}"
    parts = [Text(taken, shade(used + reserved, limit["amount"]))]
    if reserved:
        parts.append(Text(f"{amount(reserved, metric)} held", "cyan"))
    left = Text(f"{amount(limit['remaining'], metric)} left")
    stated = limit["provider_remaining"]
    if stated is not None and stated < limit["remaining"]:
        left.append(f" ({amount(stated, metric)} says the provider)", "yellow")
    parts.append(left)
    if limit["resets_at"] and used:
        parts.append(Text(f"{COMES_BACK} {span(instant(limit['resets_at']) - now)}", "dim"))
    return parts


def _proposal(provider: str, limit: dict[str, Any]) -> str:
    """Return what a provider states of a limit beside what is configured."""
    stated, own = (amount(limit[name], limit["metric"]) for name in ("provider_limit", "amount"))
    return f"{provider} states {stated} {limit_initials(limit)}, you set {own}"


def _unset(provider: str, said: dict[str, Any]) -> str:
    """Return what a provider states of a limit that is not configured."""
    stated = amount(said["amount"], said["metric"])
    return f"{provider} states {stated} {limit_initials(said)}, you set none"


def _balance(provider: str, said: dict[str, Any]) -> str:
    """Return what a provider says is left of the account's money."""
    return f"{provider} says {amount(said['remaining'], said['metric'])} of the balance is left"


def usage_of(usage: dict[str, dict[str, int]]) -> list[Text]:
    """Return what was used in the last minute, hour and day: requests and tokens of each."""
    if not any(usage["day"].values()):
        return [Text("nothing used in the last day", "dim")]
    return [
        Text(
            f"{'' if place else LAST}{name} {amount(used['requests'])} req"
            f" {amount(used['tokens'])} tok",
            "dim",
        )
        for place, (name, used) in enumerate(usage.items())
    ]


def _cells(parts: list[Text]) -> int:
    return sum(part.cell_len for part in parts) + len(BETWEEN) * (len(parts) - 1)


def _fitted(line: Text, width: int | None) -> Text:
    if width is not None:
        line.truncate(width, overflow="ellipsis")
    return line

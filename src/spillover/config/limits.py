"""Read `limits:` in all its written forms into one shape.

Refuses to know whose limits they are and what `free` amounts to: `spillover.config.assemble` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias

import msgspec

from spillover.config import units
from spillover.config.findings import Fault, Faults, nearest
from spillover.core.stated import span_label
from spillover.core.values import (
    METRIC_SCALE,
    Calendar,
    CalendarUnit,
    Lifetime,
    Limit,
    LimitScope,
    Metric,
    Refill,
    Rolling,
    Window,
)

FREE: Final = "free"
LIFETIME: Final = "lifetime"
"""The window that never ends: what is used of it does not come back."""
PER_WORDS: Final = ("minute", "hour", "day", "week", "month", LIFETIME)
COUNTED: Final = tuple(metric for metric in Metric if metric is not Metric.CONCURRENCY)
SHORT_KEYS: Final = (
    *(f"{metric}_per_{word}" for metric in COUNTED for word in PER_WORDS),
    Metric.CONCURRENCY.value,
)
"""What the mapping form may hold."""
LONG_KEYS: Final = (*(metric.value for metric in Metric), "per", "window", "timezone", "burst")
"""What an entry of the list form may hold."""


class WindowKind(StrEnum):
    """How a written window gives quota back."""

    ROLLING = "rolling"
    CALENDAR = "calendar"
    REFILL = "refill"


class LimitSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One limit as written, not yet on anybody's counter."""

    metric: Metric
    amount: int
    """Base units; 0: nothing may pass."""
    window: Window | None
    per: str | None

    def on(self, owner: str, scope: LimitScope) -> Limit:
        """Return the limit on an owner's counter."""
        return Limit(
            metric=self.metric,
            amount=self.amount,
            window=self.window,
            owner=owner,
            scope=scope,
            per=self.per,
        )


Limits: TypeAlias = tuple[LimitSpec, ...] | Literal["free"]


FORMS: Final = (
    "free, a mapping such as {tokens_per_hour: 5K}, "
    "or a list of entries such as {requests: 20, per: day}"
)
SHORTEST_S: Final = 1.0
A_WINDOW: Final = "a duration such as 1s, 30s, 5m, 5h, 1d or minute, or lifetime"


def read(written: object) -> Limits:
    """Return the limits in any written form; blank is none. Raises Faults with all errors."""
    if written is None or written == "":
        return ()
    if written == FREE:
        return FREE
    faults: list[Fault] = []
    specs: list[LimitSpec] = []
    if isinstance(written, Mapping):
        for key, value in written.items():
            _collect(specs, faults, lambda key=key, value=value: _short(key, value))
    elif isinstance(written, Sequence) and not isinstance(written, str):
        first: dict[tuple[Metric, str | None, type], int] = {}
        for place, entry in enumerate(written):
            found: list[LimitSpec] = []
            _collect(found, faults, lambda place=place, entry=entry: _long(entry, place))
            faults += _repeated(found, place, first)
            specs += found
    else:
        faults.append(Fault(FORMS, path=(), found=written))
    if faults:
        raise Faults(faults)
    return tuple(specs)


def _collect(found: list[Any], faults: list[Fault], attempt: Any) -> None:
    try:
        found.extend(attempt())
    except Fault as fault:
        faults.append(fault)
    except Faults as several:
        faults.extend(several.faults)


def _repeated(
    specs: list[LimitSpec], place: int, first: dict[tuple[Metric, str | None, type], int]
) -> list[Fault]:
    """The same metric twice in windows of one kind and length: one of them is a mistake."""
    faults = []
    for spec in specs:
        before = first.setdefault((spec.metric, spec.per, type(spec.window)), place)
        if before != place:
            shown = spec.metric.value if spec.per is None else f"{spec.metric} per {spec.per}"
            faults.append(
                Fault(
                    f"each limit once: limits[{before}] has it already",
                    path=(place, spec.metric.value),
                    found=shown,
                )
            )
    return faults


def _short(key: str, value: object) -> list[LimitSpec]:
    """One entry of the mapping form: `tokens_per_hour: 5K`."""
    if key not in SHORT_KEYS:
        raise Fault(
            f"{_either(COUNTED)}_per_{_either(PER_WORDS)}, or concurrency",
            path=(key,),
            found=key,
            nearest=nearest(key, SHORT_KEYS),
        )
    name, _, word = key.partition("_per_")
    metric = Metric(name)
    number = _amount(value, metric, (key,))
    if number is None:
        return []
    if metric is Metric.CONCURRENCY:
        return [LimitSpec(metric=metric, amount=number, window=None, per=None)]
    window = Lifetime() if word == LIFETIME else Rolling(seconds=units.UNIT_S[word])
    return [LimitSpec(metric=metric, amount=number, window=window, per=word)]


def _long(entry: object, place: int) -> list[LimitSpec]:
    """One entry of the list form: `{requests: 20, per: day, window: calendar}`."""
    if not isinstance(entry, Mapping):
        raise Fault("an entry such as {requests: 20, per: day}", path=(place,), found=entry)
    faults = [
        Fault(
            f"one of {', '.join(LONG_KEYS)}",
            path=(place, key),
            found=key,
            nearest=nearest(key, LONG_KEYS),
        )
        for key in entry
        if key not in LONG_KEYS
    ]
    metrics = [metric for metric in Metric if metric.value in entry]
    if not metrics:
        faults.append(Fault(f"one of {', '.join(Metric)}", path=(place,), found=dict(entry)))
    specs: list[LimitSpec] = []
    for metric in metrics:
        _collect(specs, faults, lambda metric=metric: _entry(entry, metric, place))
    if faults:  # those of the window are found once for each metric
        raise Faults(list({str(f.path) + f.expected: f for f in faults}.values()))
    return specs


def _entry(entry: Mapping[str, object], metric: Metric, place: int) -> list[LimitSpec]:
    faults: list[Fault] = []
    numbers: list[int | None] = []
    windows: list[tuple[Window | None, str | None]] = []
    path = (place, metric.value)
    _collect(numbers, faults, lambda: [_amount(entry[metric.value], metric, path)])
    _collect(windows, faults, lambda: [_window(entry, metric, place)])
    if faults:
        raise Faults(faults)
    (number,), ((window, per),) = numbers, windows
    if number is None:
        return []
    return [LimitSpec(metric=metric, amount=number, window=window, per=per)]


def _window(
    entry: Mapping[str, object], metric: Metric, place: int
) -> tuple[Window | None, str | None]:
    """The window of an entry and its name; raises Faults with everything wrong in it."""
    if metric is Metric.CONCURRENCY:
        _refuse_beside(entry, ("per", *_SHAPES), "no window: concurrency has none", place)
        return None, None
    if entry.get("per") == LIFETIME:
        _refuse_beside(entry, _SHAPES, f"nothing beside per: {LIFETIME}", place)
        return Lifetime(), LIFETIME
    faults: list[Fault] = []
    lengths: list[float] = []
    kinds: list[WindowKind] = []
    zones: list[str] = []
    bursts: list[int | None] = []
    _collect(lengths, faults, lambda: [_per(entry, place)])
    _collect(kinds, faults, lambda: [_kind(entry, place)])
    _collect(zones, faults, lambda: [_zone(entry, place)])
    _collect(bursts, faults, lambda: [_amount(entry.get("burst"), metric, (place, "burst"))])
    for kind in kinds:
        faults += _strangers(entry, kind, place)
    if faults:
        raise Faults(faults)
    (length_s,), (kind,), (zone,), (burst,) = lengths, kinds, zones, bursts
    per = span_label(length_s)
    match kind:
        case WindowKind.ROLLING:
            return Rolling(seconds=length_s), per
        case WindowKind.CALENDAR:
            return Calendar(unit=_unit(entry, length_s, place), zone=zone), per
        case WindowKind.REFILL:
            return Refill(seconds=length_s, burst=burst), per


_SHAPES: Final = ("window", "timezone", "burst")
"""What shapes a window that ends."""


def _refuse_beside(
    entry: Mapping[str, object], keys: Sequence[str], expected: str, place: int
) -> None:
    """Raise Faults for those of `keys` that an entry holds."""
    extra = [key for key in keys if key in entry]
    if extra:
        raise Faults([Fault(expected, path=(place, key), found=key) for key in extra])


def _strangers(entry: Mapping[str, object], kind: WindowKind, place: int) -> list[Fault]:
    """What belongs to another kind of window."""
    belongs = {"timezone": WindowKind.CALENDAR, "burst": WindowKind.REFILL}
    return [
        Fault(f"window: {wanted} beside {key}", path=(place, key), found=entry[key])
        for key, wanted in belongs.items()
        if key in entry and kind is not wanted
    ]


def _per(entry: Mapping[str, object], place: int) -> float:
    if "per" not in entry:
        raise Fault(f"per: with {A_WINDOW}", path=(place,), found=dict(entry))
    try:
        length_s = units.seconds(entry["per"], expected=A_WINDOW)
    except ValueError as error:
        raise Fault(str(error), path=(place, "per"), found=entry["per"]) from None
    if length_s < SHORTEST_S:
        raise Fault("a duration of 1s or more", path=(place, "per"), found=entry["per"])
    return length_s


def _kind(entry: Mapping[str, object], place: int) -> WindowKind:
    written = entry.get("window", WindowKind.ROLLING)
    try:
        return WindowKind(str(written))
    except ValueError:
        raise Fault(
            f"one of {', '.join(WindowKind)}",
            path=(place, "window"),
            found=written,
            nearest=nearest(str(written), tuple(WindowKind)),
        ) from None


def _unit(entry: Mapping[str, object], length_s: float, place: int) -> CalendarUnit:
    try:
        return units.calendar_unit(length_s)
    except ValueError as error:
        raise Fault(str(error), path=(place, "per"), found=entry["per"]) from None


def _zone(entry: Mapping[str, object], place: int) -> str:
    written = entry.get("timezone", "UTC")
    try:
        return units.zone(written)
    except ValueError as error:
        raise Fault(str(error), path=(place, "timezone"), found=written) from None


def _amount(written: object, metric: Metric, path: tuple[str | int, ...]) -> int | None:
    try:
        return units.amount(written, scale=METRIC_SCALE.get(metric, 1))
    except ValueError as error:
        raise Fault(str(error), path=path, found=written) from None


def _either(words: Sequence[str]) -> str:
    return "{" + ",".join(words) + "}"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `limits:`, for editors."""
    number = {"type": ["integer", "number", "string", "null"]}
    return {
        "anyOf": [
            {"const": FREE},
            {"type": "null"},
            {
                "type": "object",
                "properties": dict.fromkeys(SHORT_KEYS, number),
                "additionalProperties": False,
            },
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        **dict.fromkeys((metric.value for metric in Metric), number),
                        "per": {"type": ["string", "integer"]},
                        "window": {"enum": [kind.value for kind in WindowKind]},
                        "timezone": {"type": "string"},
                        "burst": number,
                    },
                    "additionalProperties": False,
                },
            },
        ]
    }

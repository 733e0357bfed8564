"""Read `limits:` in all its written forms into one shape.

Refuses to know whose limits they are and what `free` amounts to: `spillover.config.assemble` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias

import msgspec

from spillover.config import units
from spillover.config.findings import nearest
from spillover.core.values import (
    METRIC_SCALE,
    Calendar,
    Limit,
    LimitScope,
    Metric,
    Refill,
    Rolling,
    Window,
)

FREE: Final = "free"
PER_WORDS: Final = ("minute", "hour", "day", "week", "month")
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


class LimitFault(ValueError):
    """One thing wrong in `limits:`; `path` leads to it from there."""

    def __init__(
        self,
        expected: str,
        *,
        path: tuple[str | int, ...],
        found: object,
        nearest: str | None = None,
    ) -> None:
        self.expected = expected
        self.path = path
        self.found = found
        self.nearest = nearest
        super().__init__(expected)


class LimitFaults(ValueError):
    """Everything wrong in one `limits:`."""

    def __init__(self, faults: list[LimitFault]) -> None:
        self.faults = faults
        super().__init__("; ".join(str(fault) for fault in faults))


FORMS: Final = (
    "free, a mapping such as {tokens_per_hour: 5K}, "
    "or a list of entries such as {requests: 20, per: day}"
)


def read(written: object) -> Limits:
    """Return the limits in any written form; blank is none. Raises LimitFaults with all errors."""
    if written is None or written == "":
        return ()
    if written == FREE:
        return FREE
    faults: list[LimitFault] = []
    specs: list[LimitSpec] = []
    if isinstance(written, Mapping):
        for key, value in written.items():
            _collect(specs, faults, lambda key=key, value=value: _short(key, value))
    elif isinstance(written, Sequence) and not isinstance(written, str):
        for place, entry in enumerate(written):
            _collect(specs, faults, lambda place=place, entry=entry: _long(entry, place))
    else:
        faults.append(LimitFault(FORMS, path=(), found=written))
    if not faults:
        faults.extend(_repeated(specs))
    if faults:
        raise LimitFaults(faults)
    return tuple(specs)


def _collect(specs: list[LimitSpec], faults: list[LimitFault], attempt: Any) -> None:
    try:
        specs.extend(attempt())
    except LimitFault as fault:
        faults.append(fault)
    except LimitFaults as several:
        faults.extend(several.faults)


def _repeated(specs: list[LimitSpec]) -> list[LimitFault]:
    """The same metric twice in windows of one kind and length: one of them is a mistake."""
    seen: set[tuple[Metric, str | None, type]] = set()
    faults = []
    for spec in specs:
        mark = (spec.metric, spec.per, type(spec.window))
        if mark in seen:
            shown = spec.metric.value if spec.per is None else f"{spec.metric} per {spec.per}"
            faults.append(LimitFault("each limit once", path=(), found=shown))
        seen.add(mark)
    return faults


def _short(key: str, value: object) -> list[LimitSpec]:
    """One entry of the mapping form: `tokens_per_hour: 5K`."""
    if key not in SHORT_KEYS:
        raise LimitFault(
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
    window = Rolling(seconds=units.UNIT_S[word])
    return [LimitSpec(metric=metric, amount=number, window=window, per=word)]


def _long(entry: object, place: int) -> list[LimitSpec]:
    """One entry of the list form: `{requests: 20, per: day, window: calendar}`."""
    if not isinstance(entry, Mapping):
        raise LimitFault("an entry such as {requests: 20, per: day}", path=(place,), found=entry)
    faults = [
        LimitFault(
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
        faults.append(LimitFault(f"one of {', '.join(Metric)}", path=(place,), found=dict(entry)))
    specs: list[LimitSpec] = []
    for metric in metrics:
        _collect(specs, faults, lambda metric=metric: _entry(entry, metric, place))
    if faults:
        raise LimitFaults(list({str(f.path) + f.expected: f for f in faults}.values()))
    return specs


def _entry(entry: Mapping[str, object], metric: Metric, place: int) -> list[LimitSpec]:
    number = _amount(entry[metric.value], metric, (place, metric.value))
    if metric is Metric.CONCURRENCY:
        extra = next((key for key in ("per", "window", "timezone", "burst") if key in entry), None)
        if extra is not None:
            raise LimitFault("no window: concurrency has none", path=(place, extra), found=extra)
        return (
            []
            if number is None
            else [LimitSpec(metric=metric, amount=number, window=None, per=None)]
        )
    window, per = _window(entry, metric, place)
    if number is None:
        return []
    return [LimitSpec(metric=metric, amount=number, window=window, per=per)]


def _window(entry: Mapping[str, object], metric: Metric, place: int) -> tuple[Window, str]:
    length_s = _per(entry, place)
    kind = _kind(entry, place)
    if kind is not WindowKind.CALENDAR and "timezone" in entry:
        raise LimitFault(
            "window: calendar beside timezone", path=(place, "timezone"), found=entry["timezone"]
        )
    if kind is not WindowKind.REFILL and "burst" in entry:
        raise LimitFault("window: refill beside burst", path=(place, "burst"), found=entry["burst"])
    per = units.span_label(length_s)
    match kind:
        case WindowKind.ROLLING:
            return Rolling(seconds=length_s), per
        case WindowKind.CALENDAR:
            return _calendar(entry, length_s, place), per
        case WindowKind.REFILL:
            burst = _amount(entry.get("burst"), metric, (place, "burst"))
            return Refill(seconds=length_s, burst=burst), per


def _per(entry: Mapping[str, object], place: int) -> float:
    if "per" not in entry:
        raise LimitFault(f"per: with {units.A_DURATION}", path=(place,), found=dict(entry))
    try:
        length_s = units.seconds(entry["per"])
    except ValueError as error:
        raise LimitFault(str(error), path=(place, "per"), found=entry["per"]) from None
    if length_s < 1:
        raise LimitFault("a duration of 1s or more", path=(place, "per"), found=entry["per"])
    return length_s


def _kind(entry: Mapping[str, object], place: int) -> WindowKind:
    written = entry.get("window", WindowKind.ROLLING)
    try:
        return WindowKind(str(written))
    except ValueError:
        raise LimitFault(
            f"one of {', '.join(WindowKind)}",
            path=(place, "window"),
            found=written,
            nearest=nearest(str(written), tuple(WindowKind)),
        ) from None


def _calendar(entry: Mapping[str, object], length_s: float, place: int) -> Calendar:
    try:
        unit = units.calendar_unit(length_s)
    except ValueError as error:
        raise LimitFault(str(error), path=(place, "per"), found=entry["per"]) from None
    written = entry.get("timezone", "UTC")
    try:
        return Calendar(unit=unit, zone=units.zone(written))
    except ValueError as error:
        raise LimitFault(str(error), path=(place, "timezone"), found=written) from None


def _amount(written: object, metric: Metric, path: tuple[str | int, ...]) -> int | None:
    try:
        return units.amount(written, scale=METRIC_SCALE.get(metric, 1))
    except ValueError as error:
        raise LimitFault(str(error), path=path, found=written) from None


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

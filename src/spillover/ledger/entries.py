"""The entries of the journal: every change of the shared record, as one value each.

Whoever folds the same entries in the same order holds the same record. Their encoding is the file
format, so a field is only ever added at the end, with a default.
Refuses to know what an entry does (book) and where it is kept (journals).
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec
from msgspec.structs import replace

from spillover.core import budgets
from spillover.core.budgets import Told
from spillover.core.health import Health, shifted
from spillover.core.ladder import Pin, Sticky
from spillover.core.stated import Stated
from spillover.core.values import FailureClass, Metric, Usage, Window


class Reserved(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """A call was given room and is about to be sent."""

    id: str
    at: float
    process: str
    profile: str
    model: str
    account: str
    need: Usage
    probe: str | None = None


class Open(msgspec.Struct, array_like=True):
    """A reservation that is not closed yet."""

    at: float
    process: str
    profile: str
    model: str
    account: str
    need: Usage
    probe: str | None = None
    presumed_at: float | None = None


class Settled(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """A call ended; what it used replaces what was held for it."""

    id: str
    at: float
    profile: str
    model: str
    account: str
    usage: Usage
    reported: bool = True
    sent_at: float = 0.0
    input_tokens: int = 0
    """Input as the provider's tokeniser counted it, cached part included; 0: teaches nothing."""
    chars: int = 0
    wide_chars: int = 0
    images: int = 0
    took_ms: float | None = None
    ttft_ms: float | None = None
    failure: FailureClass | None = None
    """Why the call was not answered, or not to its end."""


class Released(msgspec.Struct, frozen=True, array_like=True, tag="x"):
    """A call that used nothing, or nothing but the request itself, ended."""

    id: str
    at: float
    keep_request: bool = False
    failure: FailureClass | None = None
    """Why the call was not answered."""


class Alive(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """A process lives, and keeps its calls in flight."""

    process: str
    at: float
    accounts: dict[str, str | None] = msgspec.field(default_factory=dict)
    """Of one that serves: the account of each of its profiles, None where the key is missing."""


class Presumed(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    """A process died or left: what it had in flight may have been sent and counts as used."""

    process: str
    at: float


class Cleared(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """A user cleared the usage of one profile, or of all."""

    at: float
    profile: str | None = None
    subjects: tuple[str, ...] = ()
    """Further health subjects that bear on the profile: its provider, its models."""


class Tracked(msgspec.Struct, frozen=True, array_like=True, tag="t"):
    """A window is counted for an owner from here on."""

    owner: str
    window: Window
    metric: Metric
    amount: int
    at: float


class HealthChanged(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    """The evidence against a subject changed; None: there is none any more."""

    subject: str
    health: Health | None


class Switched(msgspec.Struct, frozen=True, array_like=True, tag="d"):
    """A user disabled or enabled a profile."""

    profile: str
    disabled: bool
    at: float


class Pinned(msgspec.Struct, frozen=True, array_like=True, tag="n"):
    """A user pinned a profile in a chain, or unpinned it."""

    chain: str
    pin: Pin | None


class Stuck(msgspec.Struct, frozen=True, array_like=True, tag="k"):
    """A chain's last working profile changed."""

    chain: str
    sticky: Sticky | None


class Keyed(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """The fingerprint of a profile's credential and settings."""

    profile: str
    print: str


class Jumped(msgspec.Struct, frozen=True, array_like=True, tag="j"):
    """The machine's clock jumped by `seconds`, and what is recorded moves with it.

    Whoever sees a jump tells of it; entries that lead to one `offset` tell of the same jump.
    """

    seconds: float
    at: float
    """After the jump."""
    process: str = ""
    """Who saw it."""
    offset: float | None = None
    """The clock's `offset` after the jump, by which all is dated from here on."""
    begins: bool = False
    """Nobody was there to see what the clock did before: nothing moves."""


class Heard(msgspec.Struct, frozen=True, array_like=True, tag="q"):
    """A provider said what is left of one of its limits."""

    owner: str
    stated: Stated
    window: Window | None
    """How the provider's window resets, where that is known."""
    at: float


class Alerted(msgspec.Struct, frozen=True, array_like=True, tag="b"):
    """Users were told how much of a budget is used."""

    budget: str
    told: Told


class Crowded(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    """A provider refused a call because too many were in flight."""

    owner: str
    at: float
    sent_at: float
    in_flight: int
    """Of the owner's calls, the refused one among them."""


Entry: TypeAlias = (
    Reserved
    | Settled
    | Released
    | Alive
    | Presumed
    | Cleared
    | Tracked
    | HealthChanged
    | Switched
    | Pinned
    | Stuck
    | Keyed
    | Jumped
    | Heard
    | Alerted
    | Crowded
)


def moved(entry: Entry, seconds: float) -> Entry:
    """Return an entry that was made before the clock jumped by `seconds` as if made after it."""
    match entry:
        case HealthChanged(health=Health() as health):
            return replace(entry, health=shifted(health, seconds))
        case Alerted():
            return replace(entry, told=budgets.shifted(entry.told, seconds))
        case Stuck(sticky=Sticky() as sticky):
            return replace(entry, sticky=replace(sticky, at=sticky.at + seconds))
        case _:
            dates = {name: getattr(entry, name, 0.0) for name in ("at", "sent_at")}
            return replace(entry, **{name: at + seconds for name, at in dates.items() if at})


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Entry])


class Unwritable(Exception):
    """An entry that could not be read back as it was: it must not get into the record."""


_COUNTED: Final = (Reserved, Settled, Released)
"""Hold numbers of the clock's and this process's own counting alone: none that is no number."""


def check(entry: Entry) -> None:
    """Raise `Unwritable` for an entry that would not be read back as it is.

    Such are numbers beyond 64 bit, names with half a character, and what is not equal to itself.
    """
    try:
        body = _encoder.encode((entry,))
        is_whole = isinstance(entry, _COUNTED) or _decoder.decode(body) == [entry]
    except (OverflowError, UnicodeEncodeError, TypeError, msgspec.MsgspecError) as error:
        raise Unwritable(f"{type(entry).__name__}: {error}") from error
    if not is_whole:
        message = f"{type(entry).__name__}: it would not be read back as it is"
        raise Unwritable(message)


def encode(entries: list[Entry]) -> bytes:
    """Return the bytes of entries that were made in one step."""
    return _encoder.encode(entries)


def decode(body: bytes) -> list[Entry]:
    """Return the entries in `body`; raises `msgspec.MsgspecError` on bytes that are none."""
    return _decoder.decode(body)

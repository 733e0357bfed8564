"""What a flow asks to be done, and what it is told has happened: the two sides of its conversation.

Every outcome carries `now`, the instant it came about: the flow has no clock of its own.
Refuses to know the order in which they are used (flow) and how they are performed (engine).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from spillover.core.health import Health
from spillover.core.ladder import Skipped, Sticky, View
from spillover.core.limits import Candidate, Reservation
from spillover.core.refusals import Step
from spillover.core.stated import Stated
from spillover.core.tokens import Calibration
from spillover.core.values import Demand, Failure, FailureClass, Profile, Usage, Value


class Look(Value, frozen=True, kw_only=True):
    """Read the shared record and the time. Answered by `Sight`."""


class Reserve(Value, frozen=True, kw_only=True):
    """Hold room on the first candidate that has it, in one atomic step. Answered by `Held`."""

    candidates: Sequence[Candidate]
    skipped: tuple[Skipped, ...] | None = None
    """Whom the ladder left out before them; None: the profile is held once more, without a look."""


class Send(Value, frozen=True, kw_only=True):
    """Send the request and wait for the commit point.

    Answered by `Committed`, `Failed`, `Barred` or `Unable`. The commit point is the first content of a stream, or the whole valid body of an unstreamed
    answer.
    """

    candidate: Candidate
    attempt: int
    """Sends of this request so far, this one included."""
    deadline_at: float


class Relay(Value, frozen=True, kw_only=True):
    """Give the client head and answer to the end. Answered by `Relayed` or `Broken`."""

    candidate: Candidate
    trail: tuple[Step, ...]


class Settle(Value, frozen=True, kw_only=True):
    """Replace a reservation by what was used."""

    reservation: str
    candidate: Candidate
    usage: Usage
    reported: bool
    """The provider said so; otherwise it is an estimate."""
    ok: bool
    sent_at: float
    took_ms: float | None = None
    ttft_ms: float | None = None
    failure: FailureClass | None = None
    """Why it was not answered, or not to its end."""


class Release(Value, frozen=True, kw_only=True):
    """Give a reservation back: whole, or all but the request itself."""

    reservation: str
    keep_request: bool
    failure: FailureClass | None = None
    """Why it was not answered, where it was sent or could not be."""


class Learn(Value, frozen=True, kw_only=True):
    """Record changed health; `failure` is what taught it, None after a success."""

    profile: str
    health: Mapping[str, Health]
    failure: Failure | None = None


class Stick(Value, frozen=True, kw_only=True):
    """Record the profile that last worked for a chain."""

    chain: str
    sticky: Sticky


class Wait(Value, frozen=True, kw_only=True):
    """Wait until an instant; with `awaited`, in line with others that wait for those profiles.

    A request in line is also woken, first come first for each profile, when room may have come about
    sooner.
    """

    until: float
    awaited: frozenset[str] = frozenset()


class Shorten(Value, frozen=True, kw_only=True):
    """Leave out messages of the conversation until what stays is to fit. Answered by `Shortened`."""

    profile: Profile
    """By whose tokens it is counted, with what was learned of them."""
    calibration: Calibration
    most_tokens: int


class FellBack(Value, frozen=True, kw_only=True):
    """Tell that the request went on from one profile to another."""

    source: str
    to: str | None
    """None: nobody was left."""
    cause: str
    """`limit`, or the failure class behind it."""
    until: float | None
    """When the profile that was left is back, where that is known."""


Action: TypeAlias = (
    Look | Reserve | Send | Relay | Settle | Release | Learn | Stick | Wait | Shorten | FellBack
)


class Sight(Value, frozen=True, kw_only=True):
    """The shared record as it is now."""

    now: float
    view: View
    profiles: Mapping[str, Profile]
    draw: float = 0.0
    """Chance in [0, 1)."""
    turn: int = 0
    """How many requests the chain has had."""
    affinity: str | None = None
    """The profile that served this session before."""
    awaited: frozenset[str] = frozenset()
    """The profiles that other requests wait for, in line before this one."""
    private: bool = False
    """Since the request began it was said that only local profiles may serve."""


class Held(Value, frozen=True, kw_only=True):
    """The ledger's answer to `Reserve`."""

    now: float
    reservation: Reservation


class Unrecorded(Value, frozen=True, kw_only=True):
    """The ledger can't record, and the configuration says to fail closed."""

    now: float
    message: str


class Committed(Value, frozen=True, kw_only=True):
    """The first content, or the whole answer, is there."""

    now: float
    sent_at: float


class Failed(Value, frozen=True, kw_only=True):
    """The send failed before the commit point."""

    now: float
    sent_at: float
    failure: Failure
    usage: Usage | None = None
    """What the provider reports that the failed call used."""
    limits: tuple[Stated, ...] = ()
    """What the answer's body says of the provider's limits, beside its words."""
    by_deadline: bool = False
    """The request's deadline ended it, not one of the attempt's own time limits."""


class Barred(Value, frozen=True, kw_only=True):
    """Nothing was sent: meanwhile it was said that only local profiles may serve."""

    now: float


class Unable(Value, frozen=True, kw_only=True):
    """Nothing was sent: the request asks for what the profile's protocol has no words for."""

    now: float
    lacks: tuple[str, ...]
    """The fields or features at fault."""


class Relayed(Value, frozen=True, kw_only=True):
    """The whole answer has been read from the provider and given to the client."""

    now: float
    usage: Usage
    reported: bool
    ttft_ms: float | None = None


class Broken(Value, frozen=True, kw_only=True):
    """The answer ended early, behind the commit point."""

    now: float
    failure: Failure
    usage: Usage
    reported: bool


class Cancelled(Value, frozen=True, kw_only=True):
    """The client left; may answer any action.

    What was to be recorded or told (`Settle`, `Release`, `Learn`, `Stick`, `FellBack`) is done all the
    same; a `Reserve` answered so holds nothing.
    """

    now: float
    sent_at: float | None = None
    """When the open attempt was sent; None: it was not, or none was open."""
    usage: Usage | None = None
    reported: bool = False


class Shortened(Value, frozen=True, kw_only=True):
    """The conversation was shortened, or can't be."""

    now: float
    demand: Demand | None
    """What the shorter one asks for; None: it can't be made to fit."""


class Done(Value, frozen=True, kw_only=True):
    """Any other action was performed."""

    now: float


Outcome: TypeAlias = (
    Sight
    | Held
    | Unrecorded
    | Committed
    | Failed
    | Barred
    | Unable
    | Relayed
    | Broken
    | Cancelled
    | Shortened
    | Done
)

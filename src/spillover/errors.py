"""Name every way in which Spillover says no.

    SpilloverError
    ├── ConfigError              the configuration can't be used; every problem at once
    ├── RequestError             the request itself is at fault
    │   ├── UnknownName          it names a chain or profile that does not exist
    │   │   └── UnknownModel     as its model, which may be an alias too
    │   └── EditRefused          the configuration was not changed
    ├── NoProfileAvailable       nothing was sent: no profile of the chain may serve now
    ├── AllAttemptsFailed        every profile that might serve was tried and failed
    ├── StreamInterrupted        an answer broke off after its first content
    ├── MalformedAnswer          an answer is whole, but is not what was asked for
    ├── LedgerError              usage can't be counted, so nothing may be sent
    ├── PortInUse                another process listens where the gateway should
    └── BackupError              a set-up can't be backed up or restored

Refuses to know who raises and who answers: an error carries facts, its text is made from them, and
`status` and `code` say what a client is told over HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_NAMED: Final = 80
"""Characters; no name of a configuration is longer."""


class SpilloverError(Exception):
    """Base of every error that Spillover raises on purpose."""

    status: int = 500
    """HTTP status a client is answered."""
    code: str = "internal_error"
    """Stable name of the error, in `error.code` of an answer."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong in a configuration: where, what was found, what was expected."""

    file: str
    key: str
    """Dotted path as written: `profiles.groq.limits.tokens_per_hour`; empty: the whole file."""
    found: str
    expected: str
    line: int = 0
    """Counted from 1; 0 where no line is to blame (an empty or unreadable file)."""
    nearest: str | None = None
    """The valid name that is most like what was found."""

    def __str__(self) -> str:
        """Return `file:line:key: found …, expected …`, without a full stop."""
        place = ":".join(str(part) for part in (self.file, self.line or "", self.key) if part)
        hint = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        return f"{place}: found {self.found}, expected {self.expected}{hint}"

    def fields(self) -> dict[str, Any]:
        """Return it as JSON has it: by its fields, `line` null where no line is to blame."""
        return {
            "file": self.file,
            "line": self.line or None,
            "key": self.key,
            "found": self.found,
            "expected": self.expected,
            "nearest": self.nearest,
        }


class ConfigError(SpilloverError):
    """The configuration can't be used; `problems` holds everything wrong with it, in file order."""

    code = "invalid_config"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class RequestError(SpilloverError):
    """The request can't be served as it stands, by any profile; `param` names the field at fault."""

    status = 400
    code = "invalid_request"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        param: str | None = None,
    ) -> None:
        self.message = message
        self.param = param
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status
        super().__init__(message)


class UnknownName(RequestError):
    """The request names something that does not exist; `nearest` is what is most like it."""

    def __init__(
        self,
        kind: str,
        name: str,
        *,
        names: tuple[str, ...],
        nearest: str | None = None,
        code: str = "not_found",
    ) -> None:
        self.name = name
        self.names = names
        self.nearest = nearest
        hint = f"; did you mean {nearest!r}?" if nearest else ""
        super().__init__(
            f"no {kind} is called {_cut(name)!r}{hint} (there are: {', '.join(names)})",
            code=code,
            status=404,
        )


class UnknownModel(UnknownName):
    """The request names a model that is no chain, profile or alias."""

    def __init__(self, name: str, *, names: tuple[str, ...], nearest: str | None = None) -> None:
        kind, code = "chain, profile or alias", "model_not_found"
        super().__init__(kind, name, names=names, nearest=nearest, code=code)


class EditRefused(RequestError):
    """The configuration was not changed.

    `problems` hold what is wrong with it, `names` what stands in the way, by kind.
    """

    status = 409

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        problems: tuple[Problem, ...] = (),
        names: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.problems = problems
        self.names = dict(names or {})
        told = ": ".join((message, "; ".join(map(str, problems)))) if problems else message
        super().__init__(told, code=code, status=status)


class Obstacle(msgspec.Struct, frozen=True, kw_only=True):
    """Why one profile can't serve, as clients see it."""

    profile: str
    reason: str
    """A reason of the ladder: `limit`, `cooldown`, `failed` and so on."""
    available_at: float | None = None
    """Epoch seconds at which it may serve again; None: not known, or never by waiting."""
    detail: str = ""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One send of a request's trail."""

    profile: str
    outcome: str
    """A failure class, or `ok`."""
    status: int | None = None
    message: str = ""
    """The provider's words, redacted, at most 300 characters."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a client is told over HTTP of a request that nobody served."""

    code: str
    status: int
    message: str = ""
    """With what can be done about it; empty: the error's own words do."""


class _Unserved(SpilloverError):
    """What the two ways of not being served have in common."""

    summary: ClassVar[str] = ""

    def __init__(self, text: str, told: Told | None) -> None:
        if told is not None:
            self.code, self.status = told.code, told.status
        own = f"{self.summary}: {text}" if text else self.summary
        super().__init__((told.message if told is not None else "") or own)


class NoProfileAvailable(_Unserved):
    """No profile of the chain may serve this request now; nothing was sent.

    `retry_after` is in seconds, None where no time is known.
    """

    status = 429
    code = "all_exhausted"
    summary = "no profile of the chain can serve now"

    def __init__(
        self,
        profiles: tuple[Obstacle, ...],
        retry_after: float | None = None,
        *,
        told: Told | None = None,
    ) -> None:
        self.profiles = profiles
        self.retry_after = retry_after
        super().__init__(_obstacles(profiles), told)


class AllAttemptsFailed(_Unserved):
    """Every profile that might serve was tried; `trail` holds each send in order.

    `profiles` are those left out and why; `retry_after` is in seconds, None where no time is known.
    """

    status = 503
    code = "all_failed"
    summary = "every attempt failed"

    def __init__(
        self,
        trail: tuple[Sent, ...],
        *,
        profiles: tuple[Obstacle, ...] = (),
        retry_after: float | None = None,
        told: Told | None = None,
    ) -> None:
        self.trail = trail
        self.profiles = profiles
        self.retry_after = retry_after
        sends = ", ".join(f"{sent.profile}:{sent.outcome}" for sent in trail)
        left_out = _obstacles(profiles)
        super().__init__(f"{sends}; left out: {left_out}" if left_out else sends, told)


class StreamInterrupted(SpilloverError):
    """An answer broke off after its first content: what was received is not whole."""

    status = 502
    code = "stream_interrupted"

    def __init__(self, profile: str, *, cause: str, message: str = "") -> None:
        self.profile = profile
        self.cause = cause
        self.message = message
        super().__init__(
            f"the answer of {profile!r} broke off ({cause})" + (f": {message}" if message else "")
        )


class MalformedAnswer(SpilloverError):
    """An answer is whole, but has not the form that was asked for; `text` is what the model wrote."""

    status = 502
    code = "malformed_answer"

    def __init__(self, found: str, expected: str, *, text: str) -> None:
        self.found = found
        self.expected = expected
        self.text = text  # not in the message: answers are never logged
        super().__init__(f"{found} is no {expected}")


class LedgerError(SpilloverError):
    """The ledger can't record usage, and `on_ledger_error: fail_closed` forbids going on."""

    status = 503
    code = "ledger_unavailable"

    def __init__(self, found: str, *, remedy: str = "") -> None:
        self.found = found
        self.remedy = remedy
        super().__init__(f"{found}; {remedy}" if remedy else found)


class BackupError(SpilloverError):
    """A backup can't be made or put back; nothing was changed."""

    code = "invalid_backup"


class PortInUse(SpilloverError):
    """Another process listens on the gateway's port; `holder` and `free` are None if not known."""

    code = "port_in_use"

    def __init__(self, port: int, *, holder: str | None, free: int | None) -> None:
        self.port = port
        self.holder = holder
        self.free = free
        remedy = "end it" if free is None else f"end it, or use the next free one: --port {free}"
        super().__init__(f"port {port} is in use by {holder or 'another process'}; {remedy}")


def _cut(name: str) -> str:
    """Return as much of what a client called something as a message should repeat."""
    return name if len(name) <= LONGEST_NAMED else f"{name[:LONGEST_NAMED]}…"


def _obstacles(profiles: tuple[Obstacle, ...]) -> str:
    return ", ".join(f"{entry.profile}: {entry.reason}" for entry in profiles)

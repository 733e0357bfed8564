"""Ask providers' own usage endpoints, now and then, what is left of an account.

Asked when a key is new, then every quarter of an hour while the account is used or spent, and soon
after a refusal says that it is spent. Never on a request's way; a failure is kept for the status
alone. Only the catalogue's endpoints are asked, at the origin that the credential is bound to.
Refuses to know what answers mean, and what follows from them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spillover import __version__
from spillover.core.stated import owner_of
from spillover.core.values import FailureClass
from spillover.events.kinds import iso
from spillover.protocols.usage_answers import ANSWER_MOST, read_usage_answer
from spillover.upstream import Order, UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.config.routing import Endpoint, Routing, UsageEndpoint
    from spillover.core.values import Failure, Profile
    from spillover.engine.attempt import Means
    from spillover.engine.second_opinion import SecondOpinion
    from spillover.ledger.ledger import Ledger

EVERY_S: Final = 900.0
AGAIN_S: Final = 60.0
"""Not sooner than this after the last time, whatever a refusal says."""
WITHIN_S: Final = 10.0
CONNECT_S: Final = 5.0
_OK: Final = 200
_SPENT: Final = frozenset({FailureClass.QUOTA_EXHAUSTED, FailureClass.PAYMENT_REQUIRED})
_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": f"spillover/{__version__}",
}


@dataclass(slots=True, kw_only=True)
class _Account:
    """An account that can be asked about."""

    usage: UsageEndpoint
    far: Endpoint
    profiles: list[Profile]
    asked_s: float | None = None
    """By the clock that no one can set."""
    asked_at: float | None = None
    problem: str | None = None
    is_spent: bool = False
    """A refusal said so since it was asked."""

    def is_asked_like(self, other: _Account) -> bool:
        """Return whether the same would be asked with the same key."""
        return self.usage == other.usage and self.far.key_print == other.far.key_print


class Inquiries:
    """Asks about the accounts of the configuration in force; none before `start`."""

    def __init__(
        self,
        ledger: Ledger,
        means: Means,
        opinion: SecondOpinion,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask with `means`; `opinion` hears the answers, `elapsed` spaces them."""
        self._elapsed = elapsed
        self._ledger = ledger
        self._means = means
        self._opinion = opinion
        self._accounts: dict[str, _Account] = {}
        self._soon = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def adopt(self, routing: Routing) -> None:
        """Ask about the accounts of `routing` from now on; of one whose key is new at once."""
        before, self._accounts = self._accounts, {}
        for name, far in routing.endpoints.items():
            profile = routing.profiles[name]
            if far.usage is None or profile.key_missing:
                continue
            account = self._accounts.get(profile.account)
            if account is not None:
                account.profiles.append(profile)
                continue
            account = _Account(usage=far.usage, far=far, profiles=[profile])
            known = before.get(profile.account)
            if known is not None and known.is_asked_like(account):
                account.asked_s, account.asked_at = known.asked_s, known.asked_at
                account.problem, account.is_spent = known.problem, known.is_spent
            self._accounts[profile.account] = account
        self._soon.set()

    def failed(self, profile: Profile, failure: Failure) -> None:
        """Ask soon where a refusal says that the account is spent."""
        account = self._accounts.get(profile.account)
        if account is not None and failure.failure in _SPENT:
            account.is_spent = True
            self._soon.set()

    def status(self, account: str) -> dict[str, Any] | None:
        """Return when an account was asked about last, and what went wrong; None: it can't be."""
        known = self._accounts.get(account)
        if known is None:
            return None
        asked_at = None if known.asked_at is None else iso(known.asked_at)
        return {"asked_at": asked_at, "problem": known.problem}

    def start(self) -> None:
        """Ask until `close`."""
        self._task = asyncio.create_task(self._run(), name="usage inquiries")

    async def close(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._soon.clear()
            for account in tuple(self._accounts.values()):
                if self._is_due(account):
                    await self._ask(account)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S if self._accounts else None):
                    await self._soon.wait()

    def _is_due(self, account: _Account) -> bool:
        if account.asked_s is None:
            return True
        since = self._elapsed() - account.asked_s
        if account.is_spent and since >= AGAIN_S:
            return True
        return since >= EVERY_S and any(self._matters(each) for each in account.profiles)

    def _matters(self, profile: Profile) -> bool:
        """Return whether a profile is in use, or would be if something were left."""
        book, now = self._ledger.book, self._means.clock.now()
        said = book.counters.heard.get(owner_of(profile), {}).values()
        spent = any(each.stated.remaining == 0 for each in said)
        return spent or book.used(profile.name, "hour", now)[0] > 0

    async def _ask(self, account: _Account) -> None:
        account.asked_s, account.asked_at = self._elapsed(), self._means.clock.now()
        account.is_spent, account.problem = False, None
        try:
            async with asyncio.timeout(WITHIN_S):
                body = await self._answer(account)
            now = self._means.clock.now()
            said = read_usage_answer(account.usage.form, body, now)
        except TimeoutError:
            account.problem = f"no answer within {WITHIN_S:g} s"
        except (UpstreamBroken, ValueError) as error:
            account.problem = str(error)
        else:
            if self._accounts.get(account.profiles[0].account) is account:
                self._opinion.hear_account(account.profiles, said, now)

    async def _answer(self, account: _Account) -> bytes:
        order = Order(
            method="GET",
            url=account.usage.url,
            headers=_HEADERS | account.far.headers(),
            body=b"",
            connect_s=CONNECT_S,
            loopback=account.far.is_loopback,
        )
        exchange = await self._means.upstream.open(order, _nobody_waits)
        try:
            if exchange.status != _OK:
                message = f"answered {exchange.status}"
                raise ValueError(message)
            return await exchange.read_all(ANSWER_MOST)
        finally:
            exchange.close()


def _nobody_waits() -> None:
    """Hear that the connection is up."""

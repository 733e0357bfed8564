"""Transcripts: what happens, and what people are told of it."""

from __future__ import annotations

import pytest

from spillover.core.notices import NoticeKind
from spillover.events import (
    BudgetReached,
    ConfigRejected,
    ConfigReloaded,
    Event,
    LedgerDrift,
    LedgerTrouble,
    LimitReached,
    Notice,
    ProfileStatus,
    RequestDone,
    RequestFallback,
)
from spillover.events.transitions import BRIEF_S, Transitions
from tests.core.making import NOON


class Told:
    """What was told, as it happens; each event comes a second after the one before."""

    def __init__(self) -> None:
        self.now = NOON
        self.transitions = Transitions()
        self.notices: list[Notice] = []

    @property
    def texts(self) -> list[str]:
        return [notice.text for notice in self.notices]

    def hear(self, event: Event) -> None:
        notice = self.transitions.hear(event)
        if notice is not None:
            self.notices.append(notice)

    def falls(
        self,
        source: str = "groq",
        to: str | None = "gemini",
        *,
        cause: str = "rate_limited",
        back_in: float | None = 49.0,
        chain: str = "default",
    ) -> None:
        self.now += 1
        until = None if back_in is None else self.now + back_in
        self.hear(
            RequestFallback(
                at=self.now,
                request_id="r",
                chain=chain,
                source=source,
                to=to,
                cause=cause,
                until=until,
            )
        )

    def serves(
        self, profile: str | None, *, chain: str = "default", took_s: float = 0.5, **how: str
    ) -> None:
        self.now += 1
        outcome = how.get("outcome", "served")
        self.hear(
            RequestDone(
                at=self.now,
                request_id="r",
                chain=chain,
                profile=profile,
                outcome=outcome,
                took_ms=took_s * 1_000,
            )
        )

    def turns(
        self, source: str, to: str, reason: str | None = None, *, back_in: float | None = None
    ) -> None:
        """The profile `groq` turns from one status to another."""
        self.now += 1
        until = None if back_in is None else self.now + back_in
        self.hear(
            ProfileStatus(
                at=self.now, profile="groq", source=source, to=to, reason=reason, until=until
            )
        )


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_fallback_is_told_once_and_its_end_too(told: Told) -> None:
    told.serves("groq")
    for _ in range(3):
        told.falls()
        told.serves("gemini")
    told.serves("groq")
    told.serves("groq")

    assert told.texts == [
        "default: groq → gemini (rate limited), groq back in 49 s",
        "default: groq serves again",
    ]
    first, last = told.notices
    assert (first.kind, first.chain, first.source, first.to) == (
        NoticeKind.FALLBACK,
        "default",
        "groq",
        "gemini",
    )
    assert (first.cause, first.until) == ("rate_limited", first.at + 49.0)
    assert (last.kind, last.source, last.to) == (NoticeKind.RECOVERED, "gemini", "groq")


def test_who_begins_to_serve_is_not_told_of(told: Told) -> None:
    told.serves("groq")
    told.serves("gemini")
    told.turns("cooldown", "active")
    told.turns("failed", "active")

    assert told.texts == []


def test_a_fallback_further_down_is_another_transition(told: Told) -> None:
    told.falls("groq", "gemini")
    told.falls("gemini", "openai", cause="overloaded", back_in=None)
    told.falls("groq", "openai")
    told.serves("openai")
    told.serves("gemini")
    told.serves("groq")

    assert told.texts == [
        "default: groq → gemini (rate limited), groq back in 49 s",
        "default: gemini → openai (overloaded)",
        "default: groq serves again",
    ]


def test_a_chain_without_anybody_is_told_and_that_it_has_somebody_again(told: Told) -> None:
    told.falls(to=None)
    told.serves(None, outcome="refused")
    told.falls(to=None)
    told.serves("gemini")

    assert told.texts == [
        "default: nobody can serve (groq: rate limited), groq back in 49 s",
        "default: gemini serves again",
    ]
    assert told.notices[0].kind is NoticeKind.UNSERVED


def test_an_answer_that_began_before_the_fallback_is_no_recovery(told: Told) -> None:
    told.falls()
    told.serves("groq", took_s=30.0)

    assert len(told.notices) == 1


def test_a_broken_answer_is_no_recovery(told: Told) -> None:
    told.falls()
    told.serves("groq", outcome="broken")
    told.serves("groq", chain="other")

    assert len(told.notices) == 1


@pytest.mark.parametrize(
    ("cause", "back_in"),
    [("context_length", None), ("bad_request", None), ("content_filter", 9.0), ("limit", None)],
)
def test_what_concerns_the_one_request_is_no_transition(
    told: Told, cause: str, back_in: float | None
) -> None:
    told.falls(cause=cause, back_in=back_in)
    told.serves("groq")

    assert told.texts == []


def test_a_status_that_the_fallback_has_told_is_not_told_again(told: Told) -> None:
    told.falls(cause="quota_exhausted", back_in=7_200.0)
    told.turns("active", "exhausted", "quota_exhausted", back_in=7_200.0)
    told.turns("exhausted", "active")
    told.serves("groq")

    assert told.texts == [
        "default: groq → gemini (quota exhausted), groq back in 2 h",
        "groq is back",
    ]


def test_a_status_that_no_request_met_is_told_with_its_end(told: Told) -> None:
    told.turns("active", "failed", "auth_invalid")
    told.turns("failed", "failed", "key_missing")
    told.turns("failed", "active")

    assert told.texts == ["groq failed (auth invalid)", "groq is back"]
    assert [notice.kind for notice in told.notices] == [NoticeKind.FAILED, NoticeKind.RECOVERED]


@pytest.mark.parametrize(
    ("turn", "kind", "text"),
    [
        (("cooldown", "overloaded", 30.0), NoticeKind.COOLDOWN, "rests (overloaded), back in 30 s"),
        (("exhausted", "limit", BRIEF_S - 1), NoticeKind.COOLDOWN, "rests (limit), back in 5 min"),
        (
            ("exhausted", "limit", 9_000.0),
            NoticeKind.EXHAUSTED,
            "is exhausted (limit), back in 3 h",
        ),
        (("failed", None, None), NoticeKind.FAILED, "failed"),
    ],
)
def test_a_status_is_told_by_how_long_it_lasts(
    told: Told, turn: tuple[str, str | None, float | None], kind: NoticeKind, text: str
) -> None:
    to, reason, back_in = turn
    told.turns("active", to, reason, back_in=back_in)

    assert [(notice.kind, notice.text) for notice in told.notices] == [(kind, f"groq {text}")]


def test_the_end_of_a_cooldown_is_a_guess_until_a_request_proves_it(told: Told) -> None:
    told.falls(cause="overloaded", back_in=30.0)
    told.turns("active", "cooldown", "overloaded", back_in=30.0)
    told.turns("cooldown", "active")
    told.falls(cause="overloaded", back_in=30.0)
    told.turns("active", "cooldown", "overloaded", back_in=30.0)

    assert len(told.notices) == 1


def test_what_a_person_does_by_hand_is_not_told(told: Told) -> None:
    told.turns("active", "disabled", "by_hand")
    told.turns("disabled", "active")

    assert told.texts == []


def test_another_configuration_forgets_who_left_whom(told: Told) -> None:
    told.falls()
    told.hear(ConfigReloaded(at=told.now, path="p"))
    told.serves("groq")

    assert len(told.notices) == 1


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        (
            BudgetReached(
                at=NOON,
                profile="groq",
                scope="profile",
                limit="cost_per_day",
                percent=80,
                used=0.81,
                amount=1.0,
            ),
            NoticeKind.BUDGET,
            "groq has used 80 % of cost per day (0.81 of 1)",
        ),
        (
            BudgetReached(
                at=NOON,
                profile="groq",
                scope="account",
                limit="cost_per_day",
                percent=100,
                used=1.0,
                amount=1.0,
            ),
            NoticeKind.BUDGET,
            "account of groq has used 100 % of cost per day (1 of 1)",
        ),
        (
            ConfigRejected(at=NOON, path="p", problems=("a",)),
            NoticeKind.CONFIG_REJECTED,
            "the edited configuration has a problem; the one before stays in force",
        ),
        (
            ConfigRejected(at=NOON, path="p", problems=("a", "b")),
            NoticeKind.CONFIG_REJECTED,
            "the edited configuration has 2 problems; the one before stays in force",
        ),
        (
            LedgerTrouble(at=NOON, failing=True, message="disk full"),
            NoticeKind.LEDGER,
            "usage can't be stored: disk full",
        ),
        (
            LedgerTrouble(at=NOON, failing=False, message="the ledger is written again"),
            NoticeKind.LEDGER,
            "the ledger is written again",
        ),
    ],
)
def test_what_happens_seldom_is_told_each_time(
    told: Told, event: Event, kind: NoticeKind, text: str
) -> None:
    told.hear(event)
    told.hear(event)

    assert [(notice.kind, notice.text) for notice in told.notices] == [(kind, text)] * 2


@pytest.mark.parametrize(
    "event",
    [
        LimitReached(at=NOON, profile="groq", limit="requests_per_day", amount=5),
        LedgerDrift(at=NOON, profile="groq", limit="requests_per_day", counted=5, stated=2),
        Notice(at=NOON, kind=NoticeKind.TEST, text="a notice is not told of"),
    ],
)
def test_what_people_need_not_know_is_not_told(told: Told, event: Event) -> None:
    told.hear(event)

    assert told.notices == []

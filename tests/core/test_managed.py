"""What is decided of a local server: its pauses, its renewal, and the rest of its profiles."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from spillover.core.health import HEALTHY, Cooldown, Health, LastError
from spillover.core.managed import (
    LONGEST_PAUSE_S,
    RESTARTING,
    Managed,
    Restart,
    comes_back,
    due,
    failures_after,
    pause_s,
    rested,
    resting,
    trouble,
)
from spillover.core.values import Confidence, FailureClass, Source, Status

SERVER = Managed(
    name="litellm", command=("litellm",), folder="", host="127.0.0.1", port=4000, health=None
)
QUOTA = Cooldown(
    status=Status.COOLDOWN,
    reason="rate_limited",
    since=0.0,
    until=500.0,
    probe_at=None,
    source=Source.HEADER,
    confidence=Confidence.STATED,
)


def error(failure: FailureClass) -> LastError:
    return LastError(failure=failure, status=None, message="", at=1.0, profile="local")


def test_the_pause_doubles_up_to_a_minute() -> None:
    pauses = [pause_s(failures) for failures in range(1, 10)]

    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert pauses[-1] == pause_s(10**6) == LONGEST_PAUSE_S


def test_a_server_that_served_for_a_minute_begins_with_the_first_pause() -> None:
    assert failures_after(5, served_s=1.0) == 6
    assert failures_after(5, served_s=60.0) == 1


@pytest.mark.parametrize(
    ("policy", "after_failure", "after_clean_exit"),
    [
        (Restart.ON_FAILURE, True, False),
        (Restart.ALWAYS, True, True),
        (Restart.NEVER, False, False),
    ],
)
def test_the_policy_says_when_a_server_comes_back(
    policy: Restart, *, after_failure: bool, after_clean_exit: bool
) -> None:
    assert comes_back(policy, failed=True) is after_failure
    assert comes_back(policy, failed=False) is after_clean_exit


def test_a_server_is_due_when_it_is_too_old_or_too_large() -> None:
    server = replace(SERVER, max_age_s=60.0, max_memory=100 << 20)

    assert due(server, age_s=59.0, memory=100 << 20) is None
    assert due(server, age_s=59.0, memory=None) is None
    assert due(SERVER, age_s=1e9, memory=1 << 50) is None
    assert due(server, age_s=60.0, memory=0) == "it is older than max_age (60 s)"
    assert due(server, age_s=0.0, memory=101 << 20) == (
        "it uses 101 MiB, over max_memory (100 MiB)"
    )


def test_a_profile_rests_while_its_server_is_away() -> None:
    health = resting(None, now=10.0, until=20.0, message="the server starts")

    assert health.cooldown is not None
    assert (health.cooldown.reason, health.cooldown.until) == (RESTARTING, 20.0)
    assert health.cooldown.probe_at is None
    assert rested(health) == HEALTHY


def test_a_rest_is_renewed_to_a_shorter_one_too() -> None:
    first = resting(None, now=10.0, until=90.0, message="long")

    second = resting(first, now=20.0, until=30.0, message="short")

    assert second.cooldown is not None
    assert second.cooldown.until == 30.0


def test_a_longer_cooldown_outlasts_the_servers_absence() -> None:
    limited = Health(cooldown=QUOTA)

    assert resting(limited, now=10.0, until=20.0, message="") == limited
    assert rested(limited) is None


def test_a_shorter_cooldown_gives_way() -> None:
    health = resting(Health(cooldown=QUOTA), now=10.0, until=900.0, message="")

    assert health.cooldown is not None
    assert health.cooldown.reason == RESTARTING


@pytest.mark.parametrize("reason", ["network", "bad_gateway", "timeout"])
def test_what_the_absence_taught_ends_with_it(reason: str) -> None:
    assert rested(Health(cooldown=replace(QUOTA, reason=reason))) == HEALTHY


def test_nothing_ends_where_nothing_was() -> None:
    assert rested(None) is None
    assert rested(HEALTHY) is None


@pytest.mark.parametrize("failure", [FailureClass.NETWORK, FailureClass.BAD_GATEWAY])
def test_a_server_is_looked_at_when_it_was_not_to_be_reached(failure: FailureClass) -> None:
    assert trouble(Health(cooldown=QUOTA, last_error=error(failure))) is failure


def test_a_server_is_left_alone_otherwise() -> None:
    assert trouble(HEALTHY) is None
    assert trouble(Health(cooldown=QUOTA)) is None
    assert trouble(Health(last_error=error(FailureClass.NETWORK))) is None
    assert trouble(Health(cooldown=QUOTA, last_error=error(FailureClass.TIMEOUT))) is None

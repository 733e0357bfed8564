"""What a gateway says of itself when it starts."""

from __future__ import annotations

from spillover import __version__
from spillover.cli.banner import banner
from spillover.config.routing import Routing
from spillover.core.chains import Chain, Member, Strategy
from spillover.core.values import Profile, Tier
from spillover.errors import Problem


def profile(name: str, tier: Tier) -> Profile:
    return Profile(name=name, provider=name, account=name, model=f"{name}-model", tier=tier)


ROUTING = Routing(
    profiles={"groq": profile("groq", Tier.FREE), "openai": profile("openai", Tier.PAID)},
    chains={
        "default": Chain(
            name="default", members=(Member(profile="groq"), Member(profile="openai"))
        ),
        "spread": Chain(
            name="spread", members=(Member(profile="groq"),), strategy=Strategy.ROUND_ROBIN
        ),
    },
    endpoints={},
    alone={},
)


def test_it_shows_address_ladders_places_and_how_to_point_a_client_at_it() -> None:
    lines = banner(
        ROUTING,
        address="http://127.0.0.1:4400",
        facts={"config": "/etc/spillover.yaml", "ledger": "/var/ledger.db"},
        wrong=[Problem(file="f", key="profiles.openai", found="no key", expected="one")],
        keyed=False,
    )

    text = [line.plain for line in lines]
    assert text[:8] == [
        f"Spillover {__version__} on http://127.0.0.1:4400",
        "",
        "  default  priority",
        "    1  groq    free  groq-model",
        "    2  openai  paid  openai-model",
        "",
        "  spread  round robin",
        "    1  groq  free  groq-model",
    ]
    assert "  config  /etc/spillover.yaml" in text
    assert "  page    http://127.0.0.1:4400/" in text
    assert "  ! f:profiles.openai: found no key, expected one" in text
    assert "    OPENAI_BASE_URL=http://127.0.0.1:4400/v1 OPENAI_API_KEY=any" in text
    assert any(
        line.startswith("    curl http://127.0.0.1:4400/v1/chat/completions ") for line in text
    )


def test_clients_that_need_a_key_are_told_so() -> None:
    lines = banner(ROUTING, address="http://10.0.0.1:4400", facts={}, wrong=(), keyed=True)

    text = "\n".join(line.plain for line in lines)
    assert "OPENAI_API_KEY=YOUR_CLIENT_KEY" in text
    assert "-H 'authorization: Bearer YOUR_CLIENT_KEY'" in text

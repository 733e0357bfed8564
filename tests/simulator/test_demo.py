"""The providers of a demonstration."""

from __future__ import annotations

from spillover.simulator.demo import demo_providers
from spillover.simulator.provider import Provider
from tests.simulator.asking import Clock, a_request, chat, perform


def test_everything_of_a_demonstration_says_so() -> None:
    for spec in demo_providers():
        provider = Provider(spec, Clock())
        (model,) = spec.models
        (key,) = spec.keys
        got = perform(
            provider,
            a_request(
                chat(model=model),
                f"{provider.base_path}/chat/completions",
                headers=(("authorization", f"Bearer {key}"),),
            ),
        )

        assert got.status == 200
        assert all(word.startswith("demo-") for word in (spec.name, model, key))
        assert got.json["choices"][0]["message"]["content"].startswith("[demo]")


def test_all_but_the_last_run_out_within_seconds() -> None:
    *limited, last = demo_providers()

    assert all(spec.limits and max(one.seconds for one in spec.limits) <= 30 for spec in limited)
    assert last.limits == ()
    assert len({spec.flavour for spec in (*limited, last)}) == 4

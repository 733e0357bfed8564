"""Name the simulated providers that a demonstration runs on, each with a quota soon spent.

Refuses to know how they are served and routed. Every name, model, key and answer says `demo`, so
that nobody takes them for the real thing.
"""

from __future__ import annotations

from spillover.simulator.spec import Model, ProviderSpec, limits


def demo_providers() -> tuple[ProviderSpec, ...]:
    """Return four providers in the order to prefer them; the last one never runs out.

    Their windows are seconds long, so that fallback and failback are seen within half a minute.
    Each has one model and one key.
    """
    return (
        _demo("groq", "gpt-oss-120b", ("requests=6/20s", "tokens=6K/20s"), events_per_s=60.0),
        _demo("gemini", "gemini-flash", ("requests=4/15s",), events_per_s=40.0),
        _demo("openrouter", "glm:free", ("requests=8/30s",), events_per_s=30.0),
        _demo("ollama", "qwen3:8b", (), events_per_s=15.0),
    )


def _demo(
    flavour: str, model: str, written: tuple[str, ...], *, events_per_s: float
) -> ProviderSpec:
    name = f"demo-{flavour}"
    return ProviderSpec(
        flavour=flavour,
        name=name,
        models={f"demo-{model}": Model(context_tokens=32_768)},
        keys=frozenset({f"{name}-key"}),
        limits=limits(*written),
        answer=(
            f"[demo] Nobody thought about this answer: {name} is a simulated provider that says"
            " the same to everyone, at a real one's pace, until its small quota is spent."
        ),
        events_per_s=events_per_s,
        delay_s=0.05,
        first_token_s=0.15,
    )

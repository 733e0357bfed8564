"""`spillover demo`: a gateway over simulated providers with traffic, so that one sees it spill over.

Nothing of it is real, everything says `demo`, and the user's own ledger is left alone.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from spillover.cli import screen
from spillover.cli.banner import banner
from spillover.cli.options import PortOption
from spillover.cli.telling import sentence
from spillover.config.loader import load_document
from spillover.core.values import Operation
from spillover.engine import Call, EngineOptions
from spillover.gateway.serve import ServeOptions, run
from spillover.protocols.openai_chat import read_request
from spillover.simulator import demo_providers, running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spillover.config.loader import LoadedConfig
    from spillover.engine import Engine
    from spillover.events import Event
    from spillover.simulator import SimulatedProvider

app = typer.Typer()

OPENING: Final = (
    "demo: the providers below are simulated, with quotas of seconds; nothing leaves this machine."
)
NOTHING_FOUND: Final = (
    "demo: no configuration, no provider's key and no local server was found, so simulated providers"
    " answer. Set a key such as GROQ_API_KEY, or write a file with spillover init, and start again."
)
EVERY_S: Final = 0.7
"""Pace of the demo's own requests: above what its free quotas allow, below what it can serve."""
PROMPTS: Final = ("What is a spillway?", "Name three rivers.", "Why do quotas reset?")


@app.command()
def demo(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: PortOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No requests but your own.")] = False,
) -> None:
    """Show it at work over simulated providers, with traffic."""
    run_demo(host=host, port=port, traffic=not quiet, opening=OPENING)


def run_demo(*, host: str | None, port: int | None, traffic: bool, opening: str) -> None:
    """Serve the demo until it is told to stop; its ledger lives in memory alone."""
    with running(*demo_providers()) as providers:
        loaded = demo_config(providers)
        requests: list[asyncio.Task[None]] = []  # kept, or the loop would forget it

        def ready(engine: Engine, address: str) -> None:
            facts = {"config": "none: this is the demo", "ledger": "in memory, gone at the end"}
            screen.show([Text(opening, "yellow"), ""])
            screen.show(banner(engine.routing, address=address, facts=facts, wrong=(), keyed=False))
            engine.events.listen(tell)
            if traffic:
                requests.append(asyncio.get_running_loop().create_task(keep_asking(engine)))

        engine_options = EngineOptions(in_memory=True)
        options = ServeOptions(
            host=host,
            port=port,
            engine=engine_options,
            on_ready=ready,
            simulated={provider.spec.name: provider for provider in providers},
        )
        run(loaded, options)


def demo_config(providers: Sequence[SimulatedProvider]) -> LoadedConfig:
    """Return the configuration over simulated providers that are running."""
    profiles = {provider.spec.name: _profile(provider) for provider in providers}
    document = {
        "profiles": profiles,
        "chains": {"demo": {"title": "demo: simulated providers", "profiles": list(profiles)}},
        "aliases": {"*": "demo"},
    }
    return load_document(document, environ=os.environ, name="<demo>")


def _profile(provider: SimulatedProvider) -> dict[str, Any]:
    """Return the settings of a simulated provider, its request limits counted by us too."""
    spec = provider.spec
    profile: dict[str, Any] = {
        "title": f"demo: simulated {spec.flavour}",
        "provider": spec.flavour,
        "base_url": provider.base_url,
        "model": next(iter(spec.models)),
        "api_key": next(iter(spec.keys)),
        "tier": "free",
    }
    # One of them is left to find out by being refused, as with limits that nobody published.
    if spec.limits and spec.flavour != "gemini":
        profile["limits"] = [
            {limit.metric.value: limit.amount, "per": limit.per} for limit in spec.limits
        ]
    return profile


def tell(event: Event) -> None:
    """Print every event's line: the demo is there to be watched."""
    line = sentence(event, requests=True)
    if line is not None:
        screen.show([line])


async def keep_asking(engine: Engine) -> None:
    """Send a small request now and again, every other one streamed."""
    under_way: set[asyncio.Task[None]] = set()
    for number in itertools.count():
        task = asyncio.create_task(_ask(engine, number))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        await asyncio.sleep(EVERY_S)


async def _ask(engine: Engine, number: int) -> None:
    prompt, stream = PROMPTS[number % len(PROMPTS)], "true" if number % 2 else "false"
    body = f'{{"messages": [{{"role": "user", "content": "{prompt}"}}], "stream": {stream}}}'
    asked = read_request(body.encode(), Operation.CHAT)
    answer = await engine.answer(Call(asked=asked, request_id=f"demo-{number}"))
    async for _ in answer:
        pass

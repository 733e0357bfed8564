"""Say at the start of a gateway what it serves, from where, and how to point a client at it.

Refuses to know how it serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from spillover import __version__
from spillover.cli.tables import table
from spillover.cli.wording import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spillover.config.routing import Routing
    from spillover.core.chains import Chain
    from spillover.core.values import Profile
    from spillover.errors import Problem

INDENT = "  "


def banner(
    routing: Routing, *, address: str, facts: dict[str, str], wrong: Iterable[Problem], keyed: bool
) -> list[Text]:
    """Return the lines for a gateway that answers at `address`.

    `facts` are named lines of their own, `wrong` what keeps profiles from serving; `keyed`: clients
    need a key.
    """
    lines = [Text("Spillover ", "bold").append(f"{__version__} on ").append(address, "bold cyan")]
    for chain in routing.chains.values():
        lines += [Text(), *_ladder(chain, routing.profiles)]
    lines.append(Text())
    lines += [_fact(name, value) for name, value in {**facts, "page": f"{address}/"}.items()]
    lines += [Text(f"{INDENT}! {problem}", "yellow") for problem in wrong]
    return [*lines, Text(), *_clients(routing, address, keyed=keyed), Text()]


def _ladder(chain: Chain, profiles: dict[str, Profile]) -> list[Text]:
    head = Text(f"{INDENT}{chain.name}", "bold").append(f"  {words(chain.strategy.value)}", "dim")
    rows = [
        [
            Text(str(rank), "dim"),
            Text(member.profile),
            profile.tier.value,
            Text(profile.model, "dim"),
        ]
        for rank, member in enumerate(chain.members, 1)
        for profile in [profiles[member.profile]]
    ]
    rungs = table(("", "", "", ""), rows, align="><<<")[1:]
    return [head, *(Text(INDENT * 2).append_text(rung) for rung in rungs)]


def _fact(name: str, value: Any) -> Text:
    return Text(f"{INDENT}{name:<8}", "dim").append(str(value))


def _clients(routing: Routing, address: str, *, keyed: bool) -> list[Text]:
    key = "YOUR_CLIENT_KEY" if keyed else "any"
    header = f" -H 'authorization: Bearer {key}'" if keyed else ""
    body = f'{{"model": "{routing.default}", "messages": [{{"role": "user", "content": "hi"}}]}}'
    return [
        Text(f"{INDENT}Point any OpenAI client at it (spillover connect has the others):", "dim"),
        Text(f"{INDENT}  OPENAI_BASE_URL={address}/v1 OPENAI_API_KEY={key}"),
        Text(
            f"{INDENT}  curl {address}/v1/chat/completions -H 'content-type: application/json'{header} -d '{body}'"
        ),
    ]

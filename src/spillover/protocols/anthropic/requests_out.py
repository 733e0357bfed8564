"""Write the neutral conversation as a request of Anthropic's Messages.

Refuses to know who asked, and in which protocol.
"""

from __future__ import annotations

import re
from typing import Any, Final

from spillover.protocols.anthropic.blocks import block_of
from spillover.protocols.anthropic.schemas import accepted
from spillover.protocols.conversation.fields import Losses, encode
from spillover.protocols.conversation.requests import (
    Choosing,
    Request,
    Role,
    Target,
    Text,
    Turn,
    Written,
    budget_of,
    effort_of,
)

USUAL_MOST: Final = 4_096
"""`max_tokens` where nobody states one: what every Claude may write."""
LEAST_BUDGET: Final = 1_024
"""Tokens of thinking; fewer are refused."""

_FORMLESS: Final = re.compile(
    r"claude-(?:[12]|3|instant)|claude-(?:opus|sonnet)-4(?:-0|-20\d{6}|$)"
)
"""Models that came before structured outputs (Opus 4.1 and Sonnet 4.5 have them)."""
_BUDGETED: Final = re.compile(r"claude-(?:3|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?:-20\d{6}|$|@|-v))")
"""Models that think within a budget; later ones adapt by effort, and refuse budgets in the end."""


def write_request(request: Request, target: Target) -> Written:
    """Return the body for `target`, and what it could not carry."""
    losses = Losses()
    losses.drop(*request.dropped)
    losses.lack(*request.lacks)
    system, messages = _messages(request, losses)
    fields: dict[str, Any] = {"model": target.model, "max_tokens": _most(request, target)}
    if system:
        fields["system"] = system
    fields["messages"] = messages
    if request.stream:
        fields["stream"] = True
    _put_tools(request, fields, losses)
    _put_form(request, target, fields, losses)
    _put_thinking(request, target, fields, losses)
    _put_sampling(request, fields, losses)
    if request.user is not None:
        fields["metadata"] = {"user_id": request.user}
    losses.drop(*request.openai)
    if request.choices > 1:
        losses.lack("n")
    return Written(body=encode(fields), dropped=losses.dropped, lacks=losses.lacks)


def _most(request: Request, target: Target) -> int:
    most, cap = request.sampling.max_tokens, target.max_output_tokens
    if most is None:
        return cap or USUAL_MOST
    return max(1, most if cap is None else min(most, cap))


def _put_tools(request: Request, fields: dict[str, Any], losses: Losses) -> None:
    if not request.tools:
        return
    tools, choice = list(request.tools), request.tool_choice
    if choice is not None and len(choice.names) > 1:
        tools = [tool for tool in tools if tool.name in choice.names]
    written = []
    for tool in tools:
        schema = {"type": "object", **(tool.schema or {"properties": {}})}
        shown: dict[str, Any] = {"name": tool.name, "input_schema": schema}
        if tool.description:
            shown["description"] = tool.description
        if tool.strict:
            # Strict schemas are narrower here; the model follows the open one nearly always.
            losses.drop("tools.strict")
        written.append(shown)
    fields["tools"] = written
    wanted: dict[str, Any] = {"type": "auto"}
    if choice is not None:
        if len(choice.names) == 1:
            wanted = {"type": "tool", "name": choice.names[0]}
        else:
            wanted = {"type": _MODES.get(choice.mode, "any")}
    if request.parallel_calls is False and wanted["type"] != "none":
        wanted["disable_parallel_tool_use"] = True
    if len(wanted) > 1 or choice is not None:
        fields["tool_choice"] = wanted


_MODES: Final = {Choosing.AUTO: "auto", Choosing.NONE: "none", Choosing.ANY: "any"}


def _put_form(request: Request, target: Target, fields: dict[str, Any], losses: Losses) -> None:
    form = request.format
    if form is None:
        return
    if form.schema is None:
        losses.lack("json_object")
    elif _FORMLESS.search(target.model):
        losses.lack("json_schema")
    else:
        try:
            schema = accepted({"type": "object", **form.schema})
        except RecursionError:
            losses.lack("json_schema")
            return
        fields["output_config"] = {"format": {"type": "json_schema", "schema": schema}}


def _put_thinking(request: Request, target: Target, fields: dict[str, Any], losses: Losses) -> None:
    """Let the model think as is wished, where it may: beside a forced tool it may not."""
    wanted = request.reasoning
    if wanted is None:
        return
    budget, effort = budget_of(wanted), effort_of(wanted)
    if budget == 0:
        return
    forced = fields.get("tool_choice", {}).get("type") in {"any", "tool"}
    if forced or (_BUDGETED.search(target.model) and _is_thoughtless(fields["messages"])):
        losses.drop("reasoning_effort")
    elif not _BUDGETED.search(target.model):
        fields["thinking"] = {"type": "adaptive"}
        if effort is not None:
            word = "low" if effort == "minimal" else effort
            fields["output_config"] = {**fields.get("output_config", {}), "effort": word}
    else:
        budget = max(LEAST_BUDGET, budget or LEAST_BUDGET)
        if request.sampling.max_tokens is None and target.max_output_tokens is None:
            fields["max_tokens"] += budget
        budget = min(budget, fields["max_tokens"] - 1)
        if budget < LEAST_BUDGET:
            losses.drop("reasoning_effort")
        else:
            fields["thinking"] = {"type": "enabled", "budget_tokens": budget}


def _is_thoughtless(messages: list[dict[str, Any]]) -> bool:
    """Whether the last turn of the model calls tools without a thought before: thinking is refused then."""
    said = [message["content"] for message in messages if message["role"] == "assistant"]
    kinds = [block["type"] for block in said[-1]] if said else []
    return "tool_use" in kinds and "thinking" not in kinds[0]


def _put_sampling(request: Request, fields: dict[str, Any], losses: Losses) -> None:
    drawn = request.sampling
    found = {"temperature": drawn.temperature, "top_p": drawn.top_p, "top_k": drawn.top_k}
    asked = {name: value for name, value in found.items() if value is not None}
    if "thinking" in fields:
        losses.drop(*asked)  # refused beside thinking
        asked.clear()
    temperature = drawn.temperature
    if "temperature" in asked and temperature is not None:
        if temperature > 1:
            losses.drop("temperature")  # its scale ends at 1
            asked["temperature"] = 1
        if asked.pop("top_p", None) is not None:
            losses.drop("top_p")  # newer models refuse both at once
    fields |= asked
    stop = [text for text in drawn.stop if text.strip()]
    if stop:
        fields["stop_sequences"] = stop
    if len(stop) < len(drawn.stop):
        losses.lack("stop")  # white space alone is refused
    for name in ("seed", "frequency_penalty", "presence_penalty"):
        if getattr(drawn, name) is not None:
            losses.drop(name)
    if drawn.logprobs is not None:
        losses.lack("logprobs")


def _messages(request: Request, losses: Losses) -> tuple[Any, list[dict[str, Any]]]:
    """Return the system's words and the turns, each side's merged into one, user's first."""
    system = [part.text for part in request.system if part.text.strip()]
    merged: list[tuple[str, list[dict[str, Any]]]] = []
    for turn in request.turns:
        if turn.role is Role.SYSTEM:
            # Only the newest models take it in its place; at the top it has the same weight.
            system += [part.text for part in turn.parts if isinstance(part, Text)]
            continue
        blocks = _blocks(turn, losses)
        if not blocks:
            continue
        role = "assistant" if turn.role is Role.ASSISTANT else "user"
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(blocks)
        else:
            merged.append((role, blocks))
    if not merged and system:
        merged, system = [("user", [{"type": "text", "text": text} for text in system])], []
    for role, blocks in merged:
        if role == "user":
            blocks.sort(key=lambda block: block["type"] != "tool_result")
    messages = [{"role": role, "content": blocks} for role, blocks in merged]
    if len(system) < 2:  # noqa: PLR2004 - one is a string, several are blocks
        return "".join(system), messages
    return [{"type": "text", "text": text} for text in system], messages


def _blocks(turn: Turn, losses: Losses) -> list[dict[str, Any]]:
    found = [block_of(part, losses) for part in turn.parts]
    return [block for block in found if block is not None]

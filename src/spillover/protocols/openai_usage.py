"""Read the usage that providers of OpenAI's protocol report, in all its dialects.

Rules of this file (the sources are the providers' API references and bug reports):
- Input includes what was read from the cache; where that is told differs: OpenAI's and Groq's
  details, DeepSeek's `prompt_cache_hit_tokens`, Moonshot's `cached_tokens`.
- Gemini and xAI leave reasoning out of the output but not out of the total: the larger one counts.
- OpenRouter reports its price in US dollars.

Refuses to know limits and what a provider counts against them.
"""

from __future__ import annotations

from math import ceil
from typing import Final

import msgspec

from spillover.core.values import NANOUSD_PER_USD, Usage

_MOST_TOKENS: Final = 10**9
_MOST_NANOUSD: Final = 1_000 * NANOUSD_PER_USD
"""No call uses more; what passes it is broken, and would break the sums it goes into."""


class _Details(msgspec.Struct):
    cached_tokens: int | float | None = None


class _Fields(msgspec.Struct):
    prompt_tokens: int | float | None = None
    completion_tokens: int | float | None = None
    total_tokens: int | float | None = None
    input_tokens: int | float | None = None
    output_tokens: int | float | None = None
    prompt_tokens_details: _Details | None = None
    prompt_cache_hit_tokens: int | float | None = None
    cached_tokens: int | float | None = None
    cost: int | float | None = None


_NUMBERS: Final = [each for each in _Fields.__struct_fields__ if each != "prompt_tokens_details"]
_fields: Final = msgspec.json.Decoder(_Fields)
_loose: Final = msgspec.json.Decoder(dict[str, object])


def read_usage(raw: msgspec.Raw) -> Usage | None:
    """Return the usage that a `usage` object reports; None where it reports no tokens.

    A field of an unknown kind counts as absent. `requests` is 1, `cost_nanousd` 0 unless stated.
    """
    try:
        fields = _fields.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        tamed = _tamed(raw)
        if tamed is None:
            return None
        fields = tamed
    prompt, answer, total = fields.prompt_tokens, fields.completion_tokens, fields.total_tokens
    if prompt is None:
        prompt = fields.input_tokens
    if answer is None:
        answer = fields.output_tokens
    if prompt is None:
        if answer is None and total is None:
            return None
        prompt = (total or 0) - (answer or 0)
    spent, written = _whole(prompt), _whole(answer or 0)
    if total is not None:
        written = max(written, _whole(total) - spent)
    return Usage(
        requests=1,
        input_tokens=spent,
        output_tokens=written,
        cost_nanousd=0
        if fields.cost is None
        else _whole(fields.cost * NANOUSD_PER_USD, most=_MOST_NANOUSD),
        cached_tokens=_cached(fields, spent),
    )


def _cached(fields: _Fields, spent: int) -> int:
    details = fields.prompt_tokens_details
    cached = details.cached_tokens if details is not None else None
    if cached is None:
        cached = fields.prompt_cache_hit_tokens
    if cached is None:
        cached = fields.cached_tokens
    return 0 if cached is None else min(_whole(cached), spent)


def _whole(amount: float, *, most: int = _MOST_TOKENS) -> int:
    """Return an amount as a whole number from 0 to `most`, rounded up."""
    if type(amount) is int and 0 <= amount <= most:
        return amount
    return ceil(min(max(amount, 0), most))


def _tamed(raw: msgspec.Raw) -> _Fields | None:
    """Return the fields of usual kinds from a usage object with unusual ones."""
    try:
        found = _loose.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    numbers = {name: found[name] for name in _NUMBERS if _is_number(found.get(name))}
    details = found.get("prompt_tokens_details")
    if isinstance(details, dict) and _is_number(details.get("cached_tokens")):
        return msgspec.convert(
            {**numbers, "cached_tokens": details["cached_tokens"]}, _Fields, strict=True
        )
    return msgspec.convert(numbers, _Fields, strict=True)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

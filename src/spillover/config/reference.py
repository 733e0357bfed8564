"""Make `docs/configuration.md` out of the schema: every setting with type, default and meaning.

`python -m spillover.config.reference docs/configuration.md` writes it; a test fails when it is
stale. Refuses to say anything that the schema's field docs don't, but for the introduction.
"""

from __future__ import annotations

import re
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from spillover.config import schema
from spillover.config.faults import PLACES
from spillover.config.fielddocs import field_docs
from spillover.core.chains import Failback
from spillover.core.stated import span_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

_INTRODUCTION: Final = """\
# Configuration

<!-- Made from the schema by `make docs`: change src/spillover/config/schema.py instead. -->

Spillover reads one YAML file: the one named by `--config`, else by `$SPILLOVER_CONFIG`, else
`spillover.yaml` in your own configuration folder.
It never looks into the working folder by itself.
Changes are taken over live; a broken edit keeps what runs and says why.
`spillover check` names everything wrong in a file at once, with file, line and key.

```yaml
profiles:
  groq: {provider: groq, api_key: "${GROQ_API_KEY}", model: openai/gpt-oss-120b, limits: free}
  openai: {provider: openai, api_key: "${OPENAI_API_KEY}", model: gpt-5-mini}
chains:
  default: [groq, openai]
aliases: {"gpt-*": default}
```

## How values are written

| what | how |
| --- | --- |
| duration | `100ms`, `30s`, `5m`, `5h`, `1d`, `1w`, joined as in `1h30m`, or a word: `minute`, `hour`, `day`, `week`, `month` (31 days) |
| amount | `5000`, `5K`, `1M`; blank or `unlimited` is no limit, `0` lets nothing pass; `cost` is in US dollars |
| size | `64MB`, `8MiB`, or bytes |
| name | 1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first; `auto` is reserved, and a chain and a profile may not share one |
| secret | `${VARIABLE}`, `keyring:NAME` (service `spillover` of the machine's key ring), or `file:PATH` (relative to the file); the key itself works too, but then whoever reads the file has it |
| variable | `${VAR}`, `${VAR:-default}` and `$$` for a dollar sign, in text values only; within `{}` and `[]` YAML wants it in quotes |

A file `.env` beside the configuration is read too; the environment beats it.
A profile whose key is missing starts as failed, reason `key_missing`, and the rest serves.

## Limits

A mapping sets rolling windows: usage counts until it is as old as the window.
Keys are a metric (`requests`, `tokens`, `input_tokens`, `output_tokens`, `cost`, `neurons`), `_per_`
and `minute`, `hour`, `day`, `week` or `month`; `concurrency` limits the calls in flight.

`lifetime` in their place is a window that never ends: a credit that is given once. What is used of it
comes back by `spillover usage clear` alone, whatever the clock, restarts and time do. A new key is a new
account with a new credit, unless the account is named under `accounts`.

Limits on `cost` (`cost_per_day: 5`, in dollars) are budgets: a call is held at its estimate before it is sent and settled by what the
provider reports, at your `price` or the catalogue's. As 50, 80, 90 and 100 % of a budget or a credit are
used, [`budget.reached`](http.md#events) tells of each, once in a window.

A list says more: any duration from 1s, and how the window gives back.
`rolling` is the default; `calendar` starts anew at the zone's minute, hour, midnight, Monday or
first of the month; `refill` fills up all the time, and holds `burst` at most (default: the amount).

`free` takes the [catalogue](catalogue.md)'s figures for the model, with the provider's own windows,
counted where the provider counts them: for the account, the model, or everything from one address. A credit for newcomers is `per: lifetime`.
A file `catalogue.yaml` of yours beside the configuration changes what the catalogue says.

```yaml
profiles:
  groq:
    provider: groq
    model: openai/gpt-oss-120b
    limits: {requests_per_day: 1K, tokens_per_minute: 8K, concurrency: 2}
  gemini:
    provider: gemini
    model: gemini-3.5-flash
    limits:
      - {requests: 20, per: day, window: calendar, timezone: America/Los_Angeles}
      - {requests: 5, tokens: 250K, per: minute}
      - {tokens: 8000, per: 10s, window: refill, burst: 16K}
chains:
  default: [groq, gemini]
```

## Chains at a glance

A list of profiles is a chain; what else a chain may say is [below](#chains).

```yaml
chains:
  default: [groq, gemini, openai-paid]
  thrifty:                          # never spends unasked, and waits rather than fails
    profiles: [groq, openai-paid]
    spend_gate: {on_quota: ask, on_outage: never}
    when_exhausted: {wait: 30s}
  nights:                           # the paid one at night alone
    profiles: [groq, {profile: openai-paid, hours: "22:00-07:00 Europe/Paris"}]
  private: {profiles: [ollama], privacy: true}
```
"""

_TITLES: Final = {
    (): "The file",
    ("server",): "server",
    ("accounts", "*"): "accounts",
    ("profiles", "*"): "profiles",
    ("profiles", "*", "price"): "profiles: price",
    ("profiles", "*", "upstream"): "profiles and accounts: upstream",
    ("chains", "*"): "chains",
    ("chains", "*", "profiles", "*"): "chains: profiles",
    ("chains", "*", "spend_gate"): "chains: spend_gate",
    ("chains", "*", "timeouts"): "chains: timeouts",
    ("notify", "*"): "notify",
}

_TYPES: Final = {
    "CacheField": "duration or `{ttl: 10m, max_size: 64MB}`",
    "Cooldowns": "duration, or durations by failure class",
    "Credential": "secret",
    "Duration": "duration",
    "FailbackField": "`immediate`, `sticky` or `{after: 5m}`",
    "Header": "text",
    "HoursField": "hours",
    "Key": "secret",
    "LimitsField": "`free`, mapping or list",
    "Line": "text",
    "Name": "name",
    "NotifyAddress": "secret",
    "Pause": "duration",
    "Retries": "numbers by failure class",
    "Size": "size",
    "Storage": "text",
    "Text": "text",
    "Told": "kind of notice",
    "Url": "address",
    "UrlPath": "path",
    "Variable": "name",
    "WhenExhausted": "`fail` or `{wait: 30s}`",
    "bool": "true or false",
    "float": "number",
    "int": "whole number",
}


def reference() -> str:
    """Return the text of the reference."""
    parts = [_INTRODUCTION]
    for place, title in _TITLES.items():
        settings = PLACES[place]
        parts += ["", f"## {title}", "", (settings.__doc__ or "").splitlines()[0], ""]
        parts += ["| setting | type | default | meaning |", "| --- | --- | --- | --- |"]
        parts += _rows(settings)
    return "\n".join(parts) + "\n"


def _rows(settings: type[BaseModel]) -> Iterator[str]:
    docs = field_docs()[settings.__name__]
    for name, field in settings.model_fields.items():
        written = _annotation(settings, name)
        meaning = docs[name].replace("|", "\\|")
        yield f"| `{name}` | {_type(written, field)} | {_default(written, field)} | {meaning} |"


def _annotation(settings: type[BaseModel], name: str) -> str:
    """An annotation as the schema's source has it."""
    return str(settings.__annotations__[name])


def _type(written: str, field: FieldInfo) -> str:
    bare = written.removesuffix(" | None")
    several = re.fullmatch(r"tuple\[(\w+), \.\.\.\]", bare)
    if several is not None:
        return f"list of {_word(several[1])}"
    by_name = re.fullmatch(r"dict\[(\w+), (\w+)\]", bare)
    if by_name is not None:
        return f"mapping of {_word(by_name[1])} to {_word(by_name[2])}"
    choices = re.fullmatch(r"Literal\[(.+)\]", bare)
    if choices is not None:
        return re.sub("['\"]", "`", choices[1])
    return _word(bare, field)


def _word(name: str, field: FieldInfo | None = None) -> str:
    if name in _TYPES:
        return _TYPES[name]
    kind = getattr(schema, name, None)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{entry.value}`" for entry in kind)
    return "settings" if field is None else "mapping"


def _default(written: str, field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default()
    if isinstance(value, Failback):
        return "`immediate`"
    if written == "WhenExhausted":
        return "`fail`"
    if isinstance(value, BaseModel) or value in (None, (), {}):
        return "none"
    return f"`{_shown(written, value)}`"


def _shown(written: str, value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case float() if written in {"Duration", "Pause"}:
            return "0s" if value == 0 else _span(value)
        case int() if written == "Size":
            return f"{value // 1_000_000}MB"
        case _:
            return f"{value:g}" if isinstance(value, float) else str(value)


def _span(length_s: float) -> str:
    label = span_label(length_s)
    return {"minute": "1m", "hour": "1h", "day": "1d"}.get(label, label)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), "utf-8")

"""Put the record's names into words: statuses, reasons, sources, units.

Each name is one that docs/http.md lists. Refuses to know languages: the words are English, and keys
of the catalogues.
"""

from __future__ import annotations

from typing import Final

STATUS: Final = {
    "active": "Active",
    "cooldown": "Cooldown",
    "exhausted": "Exhausted",
    "failed": "Failed",
    "disabled": "Disabled",
}
REASON: Final = {
    # why a profile is not active, and failure classes
    "limit": "our own limit is reached",
    "key_missing": "its key is missing",
    "restarting": "its local server restarts",
    "by_hand": "switched off by hand",
    "rate_limited": "too many requests for now",
    "quota_exhausted": "its quota is spent",
    "payment_required": "no credit left",
    "auth_invalid": "the key is refused",
    "model_not_found": "no such model",
    "context_length": "the request is too long",
    "bad_request": "the request is refused",
    "content_filter": "refused for its content",
    "overloaded": "no capacity there",
    "server_error": "the server fails",
    "bad_gateway": "a gateway there fails",
    "timeout": "no answer in time",
    "network": "can't be reached",
    # why a profile was left out of a ladder
    "disabled": "disabled",
    "failed": "failed",
    "cooldown": "in cooldown",
    "exhausted": "exhausted",
    "context_too_small": "can't read so much",
    "lacks_capability": "can't do what is asked",
    "policy": "kept out by the routing policy",
    "privacy": "not local",
    "spend_gate": "may not spend",
    "hours": "outside its hours",
    "tried": "already tried",
}
SOURCE: Final = {
    "header": "said by its headers",
    "body": "said by its answer",
    "catalogue": "by the catalogue",
    "config": "by the configuration",
    "ledger": "by our count",
    "default": "by rule of thumb",
}
CONFIDENCE: Final = {"stated": "stated", "known": "certain", "guessed": "a guess"}
TIER: Final = {"free": "free", "paid": "paid", "local": "local"}
METRIC: Final = {
    "requests": "requests",
    "tokens": "tokens",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
    "cost": "US dollars",
    "neurons": "neurons",
    "concurrency": "calls at once",
}
PER: Final = {
    "minute": "minute",
    "hour": "hour",
    "day": "day",
    "week": "week",
    "month": "month",
    "lifetime": "in all",
    "balance": "balance",
}
STRATEGY: Final = {
    "priority": "in order",
    "round_robin": "round robin",
    "weighted": "by weight",
    "least_used": "least used first",
    "cheapest": "cheapest first",
    "fastest": "fastest first",
    "quality": "best model first",
}
POLICY: Final = {
    "any": "any",
    "auto-cheapest": "cheapest",
    "free-tier": "free tiers first",
    "local-only": "local only",
    "byok-paid": "paid only",
}
OUTCOME: Final = {
    "served": "served",
    "broken": "broke off",
    "cancelled": "client left",
    "provider_error": "refused by the provider",
    "refused": "refused",
    "ok": "answered",
}
NOTICE: Final = {
    "fallback": "falls back",
    "recovered": "is back",
    "unserved": "nobody left",
    "exhausted": "quota spent",
    "failed": "needs a person",
    "cooldown": "rests",
    "budget": "budget used",
    "config_rejected": "file can't be used",
    "ledger": "usage not stored",
}
PLACE: Final = {
    # where a client's settings go; files are said as they are
    "a shell": "a shell",
    "a program": "a program",
    "the shell that starts Zed": "the shell that starts Zed",
    "Roo Code's settings (the gear)": "Roo Code's settings (the gear)",
    "Kilo Code's settings (the gear)": "Kilo Code's settings (the gear)",
    "Cursor's settings, Models, API Keys": "Cursor's settings, Models, API Keys",
    "Cline's settings (the gear)": "Cline's settings (the gear)",
}
ALL: Final = (
    STATUS,
    REASON,
    SOURCE,
    CONFIDENCE,
    TIER,
    METRIC,
    PER,
    STRATEGY,
    POLICY,
    OUTCOME,
    NOTICE,
    PLACE,
)
"""Every table, for who has to translate them."""

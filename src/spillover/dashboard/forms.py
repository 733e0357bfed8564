"""Turn what the configuration says into what forms show.

Pure: the documents of `/api/config` and `/api/catalogue` in, plain data out. Refuses to know what a
setting does, and to read what a form sends: `/api` takes it.
"""

from __future__ import annotations

from typing import Any, Final

from spillover.core.values import Metric

_METRICS: Final = tuple(each.value for each in Metric)
_ENTRY: Final = frozenset({*_METRICS, "per", "window"})


def limit_rows(written: object) -> list[dict[str, Any]]:
    """Return `limits:` in any of its forms as rows: metric, amount, per, window, and what is left."""
    if isinstance(written, dict):
        return [_short(key, value) for key, value in written.items()]
    if isinstance(written, list):
        return [row for entry in written if isinstance(entry, dict) for row in _long(entry)]
    return []


def _short(key: str, value: object) -> dict[str, Any]:
    metric, _, per = key.partition("_per_")
    return {"metric": metric, "amount": value, "per": per, "window": "", "rest": {}}


def _long(entry: dict[str, Any]) -> list[dict[str, Any]]:
    rest = {key: value for key, value in entry.items() if key not in _ENTRY}
    return [
        {
            "metric": metric,
            "amount": entry[metric],
            "per": entry.get("per") or "",
            "window": entry.get("window") or "",
            "rest": rest,
        }
        for metric in _METRICS
        if metric in entry
    ]


def providers(catalogue: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the providers to choose from: local ones, those with a free tier, then the rest."""

    def rank(provider: dict[str, Any]) -> int:
        if provider["kind"] == "local":
            return 0
        return 1 if provider["tier_kind"] == "recurring" else 2

    found = [each for each in catalogue["providers"] if each["base_url"]]
    return sorted(({**each, "rank": rank(each)} for each in found), key=lambda each: each["rank"])


def missing_members(config: dict[str, Any], chain: str) -> list[str]:
    """Return the profiles that a chain could still take in."""
    members = {each["profile"] for each in config["chains"][chain]["profiles"]}
    return [name for name in config["profiles"] if name not in members]


def wait_of(written: object, key: str) -> str:
    """Return the duration of a setting such as `{wait: 30s}`; "" where it has none."""
    return str(written[key]) if isinstance(written, dict) and key in written else ""

"""Build the packaged catalogue from the public data set it comes from, and print what changed.

    scripts/refresh-catalogue DATA_SET [--into FOLDER] [--dry-run]

DATA_SET is a path or an http(s) address of a `providers.json`: what was found of each provider, each
figure with source and date. `scripts/catalogue-judgements.json` says what the data set does not:
whose counter a free limit is, which row holds under a condition, default models, ranks, terms. A figure
that changes is kept in its row's `was`, with the date it had.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import urllib.request
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from spillover.catalogue import Catalogue
from spillover.catalogue.entries import FreeRow, ModelRow, Provider

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGED: Final = ROOT / "src" / "spillover" / "catalogue"
JUDGEMENTS: Final = Path(__file__).with_name("catalogue-judgements.json")

FIGURES: Final = {
    "rps": ("requests", "second"),
    "rpm": ("requests", "minute"),
    "rph": ("requests", "hour"),
    "rpd": ("requests", "day"),
    "requests_month": ("requests", "month"),
    "tpm": ("tokens", "minute"),
    "tph": ("tokens", "hour"),
    "tpd": ("tokens", "day"),
    "tokens_month": ("tokens", "month"),
    "neurons_day": ("neurons", "day"),
    "credits_usd_month": ("cost", "month"),
    "concurrent": ("concurrency", None),
}
"""The data set's fields of a limit, and what each counts per which window."""
ONCE: Final = {"one_time_credit_usd": "one_time_usd", "one_time_tokens": "one_time_tokens"}
CAPS: Final = ("context_tokens", "max_output_tokens")
TIERS: Final = {"one_time_credit": "one_time", "none": "paid"}
STREAM_USAGE: Final = {"yes": "ask", "no": "never", "native": "native", "unknown": "ask"}
WINDOWS: Final = {
    "rolling": "rolling",
    "token_bucket": "refill",
    "fixed_minute": "calendar",
    "calendar_day": "calendar",
    "calendar_month": "calendar",
    "unknown": "unknown",
}
MODEL_IDS: Final = {
    "google": "gemini",
    "cloudflare-workers-ai": "cloudflare",
    "opencode": "opencode-zen",
}
"""Providers that the list of models calls otherwise."""
EMBEDDING_WORDS: Final = ("embed", "bge-")
OTHER_WORDS: Final = (
    *("orpheus", "-tts", "lyria", "voicechat", "studiovoice", "riva-translate"),
    *("guard", "safety", "gliner", "rerank"),
    *("flux", "paligemma", "esm2", "esmfold", "bevformer", "sparsedrive", "streampetr"),
)
"""Names of models that answer no chat: speech, music, moderation, pictures, proteins, driving."""

Json = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Rebuild the files; 1 if the data set and the judgements make no catalogue."""
    parser = argparse.ArgumentParser(description="Rebuild the packaged catalogue.")
    parser.add_argument("data_set", help="path or http(s) address of the data set")
    parser.add_argument("--judgements", type=Path, default=JUDGEMENTS)
    parser.add_argument("--into", type=Path, default=PACKAGED, help="folder of the two files")
    parser.add_argument("--dry-run", action="store_true", help="print what would change")
    wanted = parser.parse_args(arguments)
    data_set = json.loads(content(wanted.data_set))
    judged = json.loads(wanted.judgements.read_text("utf-8"))
    old = [read(wanted.into / name) for name in ("providers.json", "models.json")]
    new = [providers(data_set, judged, packaged=old[0]), models(data_set, judged)]
    texts = [providers_text(new[0]), models_text(new[1])]
    try:
        built = Catalogue(*(text.encode() for text in texts))
        for name in built.providers:
            built.models(name)
    except ValueError as error:
        print(f"that makes no catalogue: {error}", file=sys.stderr)
        return 1
    for line in misfits(data_set, judged):
        print(f"judgement that fits nothing: {line}")
    for line in differences(figures(*old), figures(*new)):
        print(line)
    if not wanted.dry_run:
        for name, text in zip(("providers.json", "models.json"), texts, strict=True):
            (wanted.into / name).write_text(text, "utf-8")
    return 0


def content(place: str) -> str:
    """Return what stands in a file or at an address."""
    if not place.startswith(("http://", "https://")):
        return Path(place).read_text("utf-8")
    with urllib.request.urlopen(place, timeout=60) as answer:  # noqa: S310 (a web address)
        return str(answer.read().decode())


def read(file: Path) -> Json:
    """Return a packaged file; nothing where there is none yet."""
    return dict(json.loads(file.read_text("utf-8"))) if file.exists() else {}


# The data set's fields, and the catalogue's.


def providers(data_set: Json, judged: Json, *, packaged: Json) -> Json:
    """Return the file of the providers."""
    before = {entry["id"]: entry for entry in packaged.get("providers", ())}
    found = {raw["id"]: raw for raw in data_set["providers"]}
    names = [*found, *(name for name in judged["providers"] if name not in found)]
    entries = []
    for name in names:
        judgement = judged["providers"].get(name, {})
        entry = mechanical(found[name], data_set["generated"]) if name in found else {"id": name}
        rows = [judged_row(row, judgement.get("rows", [])) for row in entry.get("free", ())]
        entry["free"] = [*rows, *judgement.get("more_rows", ())]
        entry |= judgement.get("set", {})
        entry["free"] = [tidy(row, FreeRow) for row in remembered(entry, before.get(name, {}))]
        entries.append(tidy(entry, Provider))
    return {"collected": data_set["generated"], "about": judged["about"], "providers": entries}


ANSWERS: Final = {"openrouter": "openrouter_key", "deepseek": "deepseek_balance"}
"""How the answers of usage endpoints are read."""


def quota_endpoint(provider: str, raw: Json | None) -> Json | None:
    """Return where a provider says what is left, from the root of its origin."""
    if raw is None:
        return None
    path = urlsplit(raw["base"]).path + raw["path"]
    answer, note = ANSWERS.get(provider), raw.get("note")
    return tidied(path=path, source=raw["source"], answer=answer, note=note)


def mechanical(raw: Json, collected: str) -> Json:
    """Return what the data set itself says of a provider, in the catalogue's fields."""
    tier = raw["free_tier"]
    places = {name for name in raw["env"] if f"{{{name}}}" in raw["base_url"]}
    return {
        **{key: raw[key] for key in ("id", "name", "aliases", "kind", "base_url", "doc")},
        **{key: raw[key] for key in ("base_url_source", "env_unverified")},
        "quota_endpoint": quota_endpoint(raw["id"], raw["quota_endpoint"]),
        **{key: raw[key] for key in ("wait_hints", "quirks", "sources")},
        "native_protocol": (raw["native"] or {}).get("protocol"),
        "key_env": [name for name in raw["env"] if name not in places],
        "auth": {key: raw["auth"][key] for key in ("header", "scheme")},
        "models_path": raw["models_endpoint"],
        "pool_note": raw["quota_pool"],
        "tier_kind": TIERS.get(tier["status"], tier["status"]),
        "free_note": tier["note"],
        "free": [free_row(limit, collected) for limit in tier["limits"]],
        "windows": {
            name: tidied(
                kind=WINDOWS[reset["kind"]],
                zone=reset["tz"] if reset["kind"].startswith("calendar") else None,
                source=reset["source"],
                note=reset["note"],
            )
            for name, reset in (raw["reset"] or {}).items()
        },
        "headers": [
            tidied(**header) | {"source": public(header["source"])}
            for header in raw["rate_limit_headers"]
        ],
        "stream_usage": STREAM_USAGE[raw["stream_usage"]["include_usage"]],
        "stream_usage_note": raw["stream_usage"]["note"],
        "as_of": raw["as_of"] or collected,
        "undated": raw["as_of"] is None,
    }


def free_row(limit: Json, collected: str) -> Json:
    """Return one row of a free tier."""
    return {
        "models": limit["models"],
        "figures": [
            tidied(metric=metric, amount=limit[key], per=per)
            for key, (metric, per) in FIGURES.items()
            if limit.get(key) is not None
        ],
        "source": limit["source"],
        "as_of": limit["as_of"] or collected,
        "undated": limit["as_of"] is None,
        "confidence": limit["confidence"],
        **{ours: limit.get(theirs) for theirs, ours in ONCE.items()},
        **{cap: limit.get(cap) for cap in CAPS},
        "note": limit.get("note"),
    }


def public(source: str) -> str:
    """Return a source without the name of a file that nobody else has."""
    named = re.sub(r",? ?stored file \d+", "", source)
    return re.sub(r"^public log", "a public log of", named) or "a public log of responses, undated"


def fits(judgement: Json, row: Json) -> bool:
    """Whether a judgement is of this row: by its models, and its note where several have them."""
    note = judgement.get("note", row["note"])
    return bool(judgement["models"] == row["models"] and note == row["note"])


def judged_row(row: Json, judgements: list[Json]) -> Json:
    """Return a row as it is meant: of another metric, on another counter, under a condition."""
    judgement = next((each for each in judgements if fits(each, row)), {})
    metrics, scopes = judgement.get("metrics", {}), judgement.get("scopes", {})
    figures = [
        figure
        | {"metric": metrics.get(figure["metric"], figure["metric"])}
        | tidied(scope=scopes.get(figure.get("per")))
        for figure in row["figures"]
    ]
    return {**row, "figures": figures, **judgement.get("set", {})}


def remembered(entry: Json, before: Json) -> list[Json]:
    """Return the rows with what they said before: what is packaged already, and a change of today."""
    rows = []
    for row in entry["free"]:
        old: Json = next((each for each in before.get("free", ()) if same_row(each, row)), {})
        was = [*old.get("was", ()), *row.get("was", ())]
        if old and old.get("figures", []) != row["figures"]:
            was.insert(0, tidied(**{key: old.get(key) for key in ("figures", *WAS)}))
        dated = {(each["as_of"], each["source"]): each for each in reversed(was)}
        rows.append(row | {"was": [dated[key] for key in sorted(dated, reverse=True)]})
    return rows


WAS: Final = ("context_tokens", "as_of", "source")


def same_row(one: Json, other: Json) -> bool:
    """Whether two rows are of the same models, under the same condition."""
    return one["models"] == other["models"] and one.get("condition") == other.get("condition")


def tidied(**said: Any) -> Json:
    """Return the fields that say anything."""
    return {key: value for key, value in said.items() if value is not None}


def tidy(entry: Json, kind: type[Struct]) -> Json:
    """Return an entry in the order of its type's fields, without what is left at its default.

    A field that the type lacks is kept, to be refused with the whole file.
    """
    kept = dict(entry)
    for field in fields(kind):
        if field.name not in entry:
            continue
        value = kept.pop(field.name)
        if field.required or not (value is None or value == default(field)):
            kept[field.name] = value
    return kept


def default(field: FieldInfo) -> Any:
    """Return the value of a field that is not given, as JSON has it."""
    value = field.default if field.default_factory is NODEFAULT else field.default_factory()
    return list(value) if isinstance(value, tuple) else value


# Models.


def models(data_set: Json, judged: Json) -> Json:
    """Return the file of the models."""
    listed = data_set["models"]
    found: dict[str, dict[str, Json]] = {
        MODEL_IDS.get(name, name): {raw["id"]: model(raw) for raw in rows}
        for name, rows in listed["by_provider"].items()
    }
    for name, rows in judged["models"].items():
        own = found.setdefault(name, {})
        for each, known in rows.items():
            own[each] = tidy(own.get(each, {}) | known, ModelRow)
    head = {key: listed[key] for key in ("source", "as_of", "note")}
    return head | {"models": found}


def model(raw: Json) -> Json:
    """Return what the data set says of a model, in the catalogue's fields."""
    name, modalities = raw["id"], raw["in_modalities"] or []
    embeds = any(word in name for word in EMBEDDING_WORDS)
    other = any(word in name for word in OTHER_WORDS) and not embeds
    lacks = {
        "chat": embeds or other,
        "embeddings": not embeds,
        "tools": not raw["tool_call"],
        "vision": "image" not in modalities,
    }
    priced = raw["cost_in"] is not None
    row = {
        "context": raw["context"] or None,
        "max_output": None if embeds else raw["max_output"] or None,
        "lacks": [name for name, lacking in lacks.items() if lacking],
        "modalities": modalities,
        "price": [raw["cost_in"], raw["cost_out"]] if priced else None,
        "status": raw["status"],
        "reasoning": raw["reasoning"],
    }
    return tidy(row, ModelRow)


# The files' text, and what changed in it.


def providers_text(file: Json) -> str:
    """Return the file of the providers as it is kept: a line for each field, to be compared."""
    return json.dumps(file, indent=1, ensure_ascii=False) + "\n"


def models_text(file: Json) -> str:
    """Return the file of the models as it is kept: a line for each model."""
    head = json.dumps({key: file[key] for key in file if key != "models"}, ensure_ascii=False)
    parts = [
        f"{json.dumps(name)}: {{\n"
        + ",\n".join(
            f"{json.dumps(each)}: {json.dumps(row, ensure_ascii=False)}"
            for each, row in rows.items()
        )
        + "\n}"
        for name, rows in file["models"].items()
    ]
    return head[:-1] + ', "models": {\n' + ",\n".join(parts) + "\n}}\n"


def misfits(data_set: Json, judged: Json) -> list[str]:
    """Return the judgements of rows that the data set no longer has."""
    rows = {
        raw["id"]: [free_row(limit, data_set["generated"]) for limit in raw["free_tier"]["limits"]]
        for raw in data_set["providers"]
    }
    return [
        f"{name} {', '.join(judgement['models'])}"
        for name, judgements in judged["providers"].items()
        for judgement in judgements.get("rows", ())
        if not any(fits(judgement, row) for row in rows.get(name, ()))
    ]


def figures(providers_file: Json, models_file: Json) -> dict[str, Any]:
    """Return everything that can change, by a name that a person reads."""
    found: dict[str, Any] = {}
    for entry in providers_file.get("providers", ()):
        name = entry["id"]
        for key in ("base_url", "tier_kind", "pool", "key_env", "stream_usage", "default_model"):
            found[f"{name} {key}"] = entry.get(key)
        for rank in entry.get("ranks", ()):
            found[f"{name} rank of {', '.join(rank['models'])}"] = rank["place"]
        for row in entry.get("free", ()):
            where = f" ({row['condition']})" if "condition" in row else ""
            whose = f"{name} {', '.join(row['models'])}{where}"
            for figure in row.get("figures", ()):
                per = f" per {figure['per']}" if "per" in figure else ""
                found[f"{whose}: {figure['metric']}{per}"] = figure["amount"]
            for key in ("one_time_usd", "one_time_tokens", "context_tokens"):
                if key in row:
                    found[f"{whose}: {key}"] = row[key]
    for name, rows in models_file.get("models", {}).items():
        for each, row in rows.items():
            for key in ("price", "neurons", "context", "max_output", "lacks", "rank"):
                if key in row:
                    found[f"{name} {each}: {key}"] = row[key]
    return found


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return what is gone, what is new and what changed, one a line."""
    gone = [f"- {name}: {old[name]}" for name in old if name not in new]
    come = [f"+ {name}: {new[name]}" for name in new if name not in old]
    other = [
        f"~ {name}: {old[name]} -> {new[name]}"
        for name in old
        if name in new and old[name] != new[name]
    ]
    return [*gone, *come, *other]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

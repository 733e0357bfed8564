"""`spillover connect`: what a client needs to be told of this gateway, ready to be pasted."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from spillover.catalogue.clients import VARIABLE, Link, advice, load, started, written
from spillover.cli import screen
from spillover.cli.options import ConfigOption, JsonOption
from spillover.cli.tables import table
from spillover.config.addresses import WILDCARDS
from spillover.config.assemble import assemble
from spillover.config.loader import load as load_config
from spillover.config.locate import config_path, is_named
from spillover.config.secrets import Secret
from spillover.errors import RequestError

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.catalogue.clients import Client, Clients
    from spillover.config.loader import LoadedConfig

app = typer.Typer()

_REFERENCE: Final = re.compile(r"\$\{(?P<name>\w+)\}")
"""A key that is nothing but an environment variable."""


@app.command()
def connect(
    client: Annotated[
        str | None, typer.Argument(metavar="CLIENT", help="One of them; without it all are listed.")
    ] = None,
    *,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="A chain, profile or alias; else the default chain."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            "--address", metavar="URL", help="Where the client reaches the gateway, if elsewhere."
        ),
    ] = None,
    show_key: Annotated[
        bool, typer.Option("--show-key", help="Write the first client key out.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Print what points a client at this gateway: its address, a chain, a key.

    The texts alone go to standard output; where they go is said beside them. Client keys are named
    by an environment variable, or left to be filled in, unless --show-key asks for them.
    """
    clients = load()
    if client is None:
        if json:
            screen.show_json({"clients": [_entry(each) for each in clients.entries]})
        else:
            screen.show(overview(clients, width=screen.width()))
        return
    entry = clients.find(client)
    if entry is None:
        near = clients.nearest(client)
        hint = f"; did you mean {near[0]!r}?" if near else " (spillover connect lists them)"
        raise RequestError(f"no client is called {client!r}{hint}")
    link = _link(_loaded(config), model=model, address=address, show_key=show_key)
    if json:
        screen.show_json(document(entry, link))
    else:
        _show(entry, link)


def _loaded(config: Path | None) -> LoadedConfig | None:
    """Return the configuration; None: there is no file, and the gateway keeps to its defaults."""
    path = config_path(config, os.environ)
    if path.exists() or is_named(config, os.environ):
        return load_config(path, environ=os.environ)
    return None


def _link(
    loaded: LoadedConfig | None, *, model: str | None, address: str | None, show_key: bool
) -> Link:
    """Return what clients are told; raises UnknownModel for a model that nobody serves."""
    given = {"address": address.rstrip("/").removesuffix("/v1")} if address else {}
    if loaded is None:
        return Link(model=model or Link().model, **given)
    routing, server = assemble(loaded, loaded.catalogue), loaded.config.server
    if model is not None:
        routing.resolve(model)
    host = WILDCARDS.get(server.host, server.host)
    shown = f"[{host}]" if ":" in host else host
    key: str | None = Link().key
    if server.client_keys:
        first = next((each for each in server.client_keys if isinstance(each, Secret)), None)
        key = first.reveal() if show_key and first is not None else None
    return Link(
        model=model or routing.default,
        key=key,
        variable=_variable(loaded),
        **({"address": f"http://{shown}:{server.port}"} | given),
    )


def _variable(loaded: LoadedConfig) -> str:
    """Return the variable that the configuration takes its first client key from, or the usual one."""
    keys = (loaded.document.get("server") or {}).get("client_keys") or [""]
    named = _REFERENCE.fullmatch(str(keys[0]))
    return VARIABLE if named is None else named["name"]


def _show(entry: Client, link: Link) -> None:
    said = screen.console(sys.stderr)
    for number, part in enumerate(entry.parts):
        if number:
            sys.stdout.write("\n")
            sys.stdout.flush()
        said.print(Text(part.into, "bold"))
        sys.stdout.write(written(part, link) + "\n")
        sys.stdout.flush()
    start = started(entry, link)
    notes = [f"then: {start}"] if start else []
    notes += [*advice(entry, link), *([entry.note.replace("`", "")] if entry.note else [])]
    if notes:
        said.print(Text("\n" + "\n".join(notes), "dim"))


def document(entry: Client, link: Link) -> dict[str, Any]:
    """Return a client with its texts as plain values."""
    return {
        **_entry(entry),
        "address": link.address,
        "model": link.model,
        "parts": [
            {"into": part.into, "language": part.language.value, "text": written(part, link)}
            for part in entry.parts
        ],
        "start": started(entry, link) or None,
        "notes": [*advice(entry, link), *([entry.note] if entry.note else [])],
    }


def _entry(entry: Client) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": entry.title,
        "group": entry.group,
        "protocol": entry.protocol.value,
        "also": list(entry.also),
        "tested": bool(entry.tried),
        "source": entry.source,
        "as_of": entry.as_of,
    }


def overview(clients: Clients, *, width: int | None) -> list[Text]:
    """Return a table of the clients, group by group."""
    rows: list[list[Text | str]] = [
        [
            Text(entry.id, "bold"),
            entry.title,
            entry.protocol.value,
            ", ".join(part.into for part in entry.parts),
        ]
        for group in clients.groups
        for entry in clients.of_group(group.id)
    ]
    return table(("CLIENT", "IS", "SPEAKS", "GOES INTO"), rows, align="<<<<", width=width)

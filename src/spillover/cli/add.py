"""`spillover add PROVIDER`: write a profile of a catalogue's provider into the configuration."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from getpass import getpass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from spillover.cli import screen
from spillover.cli.catalogue import in_force
from spillover.cli.options import ConfigOption
from spillover.clock import SystemClock
from spillover.config import edits
from spillover.config.discovery import (
    can_count_free,
    document_of,
    local_servers,
    whatever_is_there,
)
from spillover.config.document import parse
from spillover.config.files import content_of
from spillover.config.grants import GivenKey, key_settings, read_key
from spillover.config.locate import config_path, env_path, read_env, state_folder
from spillover.config.routing import DEFAULT
from spillover.config.starter import blank, starter
from spillover.config.writer import Edit, Writer
from spillover.errors import RequestError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spillover.catalogue import Catalogue, Provider
    from spillover.config.discovery import Found

app = typer.Typer()

STDIN: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What is to be added, as it was asked for."""

    entry: Provider
    key: GivenKey | None
    model: str | None
    name: str | None
    chain: str | None
    first: bool


@app.command()
def add(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", show_default=False)],
    *,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="env:NAME|keyring:NAME|-",
            help="Where its key is; -: read it, and keep it in the key ring or a private file.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="MODEL", help="The provider's name of it."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The profile's; else the provider's."),
    ] = None,
    chain: Annotated[
        str | None, typer.Option("--chain", metavar="CHAIN", help="Where it is put; else default.")
    ] = None,
    first: Annotated[
        bool, typer.Option("--first/--last", help="At which end of the chain.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Add a provider's profile to the configuration, and to a chain.

    Its usual variable's key, the catalogue's model and its free limits are taken unless you say others.
    """
    path = config_path(config, os.environ)
    known = in_force(path)
    entry = known.provider(provider)
    if entry is None:
        near = known.nearest(provider)
        raise UnknownName(
            "provider", provider, names=tuple(known.providers), nearest=near[0] if near else None
        )
    wish = _Wish(entry=entry, key=_key(key), model=model, name=name, chain=chain, first=first)
    screen.show(_Adding(path, known, wish).done())


def _key(written: str | None) -> GivenKey | None:
    """A key as an option names it; raises RequestError."""
    if written is None:
        return None
    if written == STDIN:
        pasted = getpass("key: ") if sys.stdin.isatty() else sys.stdin.readline()
        return read_key({"paste": pasted.strip()})
    kind, _, name = written.partition(":")
    if kind not in {"env", "keyring"}:
        raise RequestError("--key: expected env:NAME, keyring:NAME, or - to read it")
    return read_key({kind: name})


class _Adding:
    """One addition to a file."""

    def __init__(self, path: Path, known: Catalogue, wish: _Wish) -> None:
        self._path = path
        self._known = known
        self._wish = wish
        self._environ = {**read_env(env_path(path)), **os.environ}
        self._found: list[Found] | None = None

    def done(self) -> list[str]:
        """Add it; return what there is to say."""
        wish = self._wish
        seed = self._seed()
        text = seed.encode() if seed is not None else content_of(self._path) or b""
        document = parse(text, file=str(self._path)).document
        before = document if isinstance(document, dict) else {}
        name = wish.name or edits.free_name(before, wish.entry.id)
        edits.check_name(name)
        chain = wish.chain or _usual_chain(before)
        blank_file = seed is not None and not before.get("profiles")
        place = 0 if wish.first or blank_file else None
        settings = self._settings()
        if wish.name is None:
            self._refuse_twin(before, settings["model"])
        folder = self._path.parent
        reference = wish.key.reference(name, folder=folder) if wish.key is not None else None

        def change(document: dict[str, Any]) -> None:
            key = key_settings(reference or self._usual_reference())
            edits.add_profile(document, name, {"provider": wish.entry.id, **key, **settings})
            edits.put_in_chain(document, chain, name, place)

        writer = Writer(
            self._path,
            environ=os.environ,
            state=state_folder(self._environ),
            now=SystemClock().now,
            seed=seed,
        )
        edit = Edit(change=change, what=f"add profile {name}", by="cli", guarded=False)
        try:
            written = writer.edit(edit)
        except BaseException:
            if wish.key is not None and reference is not None:
                wish.key.drop(reference, folder=folder)
            raise
        limits = ", free limits" if settings.get("limits") else ""
        where = "first" if place == 0 else "last"
        return [
            f"added {name} ({settings['model']}{limits}) to the chain {chain}, {where}",
            f"in {self._path}",
            *(f"! {each}" for each in written.loaded.missing_keys if f"{name!r}" in each.expected),
        ]

    def _refuse_twin(self, document: dict[str, Any], model: str) -> None:
        """Refuse what is there already, unless another name says that it is wanted twice."""
        twin = edits.profile_of(document, self._names(), model)
        if twin is not None:
            raise RequestError(
                f"the profile {twin!r} asks {self._wish.entry.id} for {model} already: change it "
                f"in {self._path}, or on the dashboard's page; a second one beside it, such as of "
                "another account, wants a --name"
            )

    def _names(self) -> frozenset[str]:
        return frozenset({self._wish.entry.id, *self._wish.entry.aliases})

    def _seed(self) -> str | None:
        """What a new file begins with: what else is there; None where there is a file."""
        if self._path.exists():
            return None
        others = [each for each in self._there() if each.name != self._wish.entry.id]
        document = document_of(others)
        return blank() if document is None else starter(document)

    def _there(self) -> list[Found]:
        if self._found is None:
            servers = asyncio.run(local_servers(self._known, self._environ))
            self._found = whatever_is_there(self._environ, servers, self._known)
        return self._found

    def _settings(self) -> dict[str, Any]:
        entry, known = self._wish.entry, self._known
        model = self._wish.model or entry.default_model.id
        more: dict[str, Any] = {}
        if model is None:
            served = next((each for each in self._there() if each.name == entry.id), None)
            if served is None:
                raise RequestError(
                    f"{entry.name} has no usual model, and no server of it answers: say --model"
                )
            model, more = served.profile["model"], {"base_url": served.profile["base_url"]}
        settings = {**more, "model": model}
        if known.is_free(entry.id, model) and can_count_free(entry, model, known):
            settings["limits"] = "free"
        return settings

    def _usual_reference(self) -> str | None:
        """The provider's variable: one that is set, else the usual one."""
        variables = self._wish.entry.key_env
        if not variables or self._wish.entry.auth.optional:
            return None
        held = [each for each in variables if self._environ.get(each)]
        return f"${{{(held or variables)[0]}}}"


def _usual_chain(document: Mapping[str, Any]) -> str:
    chains = document.get("chains") or {DEFAULT: None}
    return DEFAULT if DEFAULT in chains else next(iter(chains))

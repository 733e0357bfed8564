"""Answer the routes that say what the configuration's file says, change it and undo that.

Refuses to know how a file is edited. What an edit needs is loaded when the first one comes.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from spillover.config.findings import nearest
from spillover.config.nesting import levels
from spillover.errors import EditRefused, RequestError
from spillover.gateway.queries import asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spillover.config.grants import GivenKey
    from spillover.config.loader import LoadedConfig
    from spillover.config.writer import Edit, Written
    from spillover.gateway.editing import Editing
    from spillover.gateway.routes import Inquiry

DEEPEST: Final = 8
"""Levels of a body's value: no setting has more."""
MOST: Final = 10**18
"""The file can hold no larger number."""
_FILE_ALONE: Final = frozenset(
    {
        "api_key",
        "headers",
        "upstream",
        "command",
        "env",
        "host",
        "client_keys",
        "admin_key",
        "server",
    }
)
_ADDING: Final = ("name", "key", "chain", "position")
_CREATED: Final = 201


async def config(inquiry: Inquiry) -> None:
    """Answer what the file says."""
    await inquiry.visit.answer_json(200, await _editing(inquiry).document())


async def change_config(inquiry: Inquiry) -> None:
    """Change what holds for all chains."""
    from spillover.config.edits import GLOBALS, merge_globals
    from spillover.config.summary import unmasked

    body = await _body(inquiry, GLOBALS)

    def change(document: dict[str, Any]) -> None:
        settings = dict(body)
        if isinstance(settings.get("notify"), list):
            # An address is shown without its token, and sent back so by forms.
            settings["notify"] = [unmasked(each, document) for each in settings["notify"]]
        merge_globals(document, settings)

    written = await _edit(inquiry, change, f"change {', '.join(body) or 'nothing'}")
    await _answer(inquiry, await _editing(inquiry).document(), written)


async def versions(inquiry: Inquiry) -> None:
    """Answer the texts of the file that are kept."""
    from spillover.gateway.editing import version_fields

    editing = _editing(inquiry)
    history = await asyncio.to_thread(editing.history)
    document = {
        "path": str(editing.path),
        "current": history.current,
        "versions": [version_fields(each) for each in reversed(history.versions)],
    }
    await inquiry.visit.answer_json(200, document)


async def undo(inquiry: Inquiry) -> None:
    """Go back to the text before, or to a certain one."""
    from spillover.gateway.editing import version_fields

    body = await _body(inquiry, ("to",))
    to = body.get("to")
    if to is not None and (isinstance(to, bool) or not isinstance(to, int)):
        raise RequestError("to: expected the id of a version", param="to")
    written = await _editing(inquiry).undo(to, _revision(inquiry))
    document = {
        "restored": None if written.version is None else version_fields(written.version),
        "kept": None if written.kept is None else version_fields(written.kept),
        "notes": _editing(inquiry).notes(written.loaded),
    }
    await inquiry.visit.answer_json(200, document)


async def add_profile(inquiry: Inquiry) -> None:
    """Add a profile."""
    from spillover.config import edits
    from spillover.config.routing import DEFAULT
    from spillover.config.summary import PROFILE_SETTINGS

    body = await _body(inquiry, (*_ADDING, *PROFILE_SETTINGS))
    editing = _editing(inquiry)
    settings = {name: value for name, value in body.items() if name not in _ADDING}
    name = _text(body, "name") or edits.free_name(
        editing.loaded.document, _text(settings, "provider") or "profile"
    )
    chain, place = _text(body, "chain"), _place(body)
    if editing.is_blank:  # the file begins with it, and its aliases lead to the chain
        chain, place = chain or DEFAULT, place or 0

    def change(document: dict[str, Any], key: Mapping[str, Any]) -> None:
        edits.add_profile(document, name, {**_ordered(settings, key)})
        if chain is not None:
            edits.put_in_chain(document, chain, name, place)

    written = await _edit_with_key(inquiry, name, body, change, f"add profile {name}")
    await _answer_profile(inquiry, name, written, status=_CREATED)


async def change_profile(inquiry: Inquiry) -> None:
    """Change settings of a profile."""
    from spillover.config import edits
    from spillover.config.summary import PROFILE_SETTINGS

    body = await _body(inquiry, ("key", *PROFILE_SETTINGS))
    name = inquiry.names["profile"]
    settings = {setting: value for setting, value in body.items() if setting != "key"}

    def change(document: dict[str, Any], key: Mapping[str, Any]) -> None:
        edits.merge_profile(document, name, {**settings, **key})

    what = f"change profile {name}: {', '.join(body) or 'nothing'}"
    written = await _edit_with_key(inquiry, name, body, change, what)
    await _answer_profile(inquiry, name, written)


async def remove_profile(inquiry: Inquiry) -> None:
    """Remove a profile."""
    from spillover.config import edits

    await _body(inquiry, ())
    name = inquiry.names["profile"]
    left: list[str] = []
    from_chains = asked(inquiry.visit).get("from_chains") in {"true", "1"}

    def change(document: dict[str, Any]) -> None:
        left[:] = edits.remove_profile(document, name, from_chains=from_chains)

    written = await _edit(inquiry, change, f"remove profile {name}")
    await _answer(inquiry, {"deleted": name, "from_chains": left}, written)


async def add_chain(inquiry: Inquiry) -> None:
    """Add a chain."""
    from spillover.config import edits
    from spillover.config.summary import CHAIN_SETTINGS

    body = await _body(inquiry, ("name", *CHAIN_SETTINGS))
    name = _text(body, "name")
    if name is None:
        raise RequestError("name: expected the chain's name", param="name")
    settings = {setting: value for setting, value in body.items() if setting != "name"}
    change = partial(_call, edits.add_chain, name, settings)
    written = await _edit(inquiry, change, f"add chain {name}")
    await _answer_chain(inquiry, name, written, status=_CREATED)


async def change_chain(inquiry: Inquiry) -> None:
    """Change settings of a chain."""
    from spillover.config import edits
    from spillover.config.summary import CHAIN_SETTINGS

    body = await _body(inquiry, ("name", *CHAIN_SETTINGS))
    name = inquiry.names["chain"]
    to = _text(body, "name") or name
    settings = {setting: value for setting, value in body.items() if setting != "name"}

    def change(document: dict[str, Any]) -> None:
        edits.rename_chain(document, name, to)
        edits.merge_chain(document, to, settings)

    what = f"change chain {name}: {', '.join(body) or 'nothing'}"
    if to != name:
        what = f"rename chain {name} to {to}"
    was = inquiry.engine.status()["chains"].get(name, {})
    written = await _edit(inquiry, change, what)
    if to != name and was.get("pinned") is not None:
        await inquiry.engine.pin(to, was["pinned"], strict=was["pinned_strictly"])
    await _answer_chain(inquiry, to, written)


async def remove_chain(inquiry: Inquiry) -> None:
    """Remove a chain."""
    from spillover.config import edits

    await _body(inquiry, ())
    name = inquiry.names["chain"]
    written = await _edit(
        inquiry, lambda document: edits.remove_chain(document, name), f"remove chain {name}"
    )
    await _answer(inquiry, {"deleted": name}, written)


def _call(
    edit: Callable[..., None], name: str, settings: Mapping[str, Any], document: dict[str, Any]
) -> None:
    edit(document, name, settings)


def _ordered(settings: Mapping[str, Any], key: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as people write them: provider and address, key, then the rest."""
    first = [name for name in ("provider", "base_url", "protocol") if name in settings]
    return {name: settings[name] for name in first} | dict(key) | dict(settings)


# What is asked.


def _editing(inquiry: Inquiry) -> Editing:
    return inquiry.gateway.editing


async def _body(inquiry: Inquiry, known: tuple[str, ...]) -> dict[str, Any]:
    """Return a body with known fields alone; raises RequestError and EditRefused."""
    body: dict[str, Any] = await inquiry.fields(dict[str, Any])
    for name, value in body.items():
        if name in known:
            _check_value(name, value)
        elif name in _FILE_ALONE:
            raise EditRefused(
                "not_by_api", f"{name} is for the file alone: edit it there", status=403
            )
        else:
            near = nearest(name, known)
            hint = f"; did you mean {near!r}?" if near else f" (there are: {', '.join(known)})"
            raise RequestError(f"no field is called {name[:80]!r}{hint}", param=name[:80])
    return body


def _check_value(name: str, value: Any) -> None:
    """Refuse what no setting can hold, whatever it means."""
    for depth, level in enumerate(levels(value)):
        if depth == DEEPEST:
            raise RequestError(f"{name}: nothing is nested so deeply", param=name)
        if any(isinstance(each, int) and abs(each) >= MOST for each in level):
            raise RequestError(f"{name}: no number is so large", param=name)


def _text(body: Mapping[str, Any], field: str) -> str | None:
    value = body.get(field)
    if value is not None and not isinstance(value, str):
        raise RequestError(f"{field}: expected text", param=field)
    return value or None


def _place(body: Mapping[str, Any]) -> int | None:
    value = body.get("position")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise RequestError("position: expected a place counted from 0", param="position")
    return value


def _revision(inquiry: Inquiry) -> str | None:
    """What the file, or the entry, must say for an edit, by `If-Match`."""
    stated = inquiry.visit.headers.get(b"if-match", b"").decode("latin-1").strip()
    return stated.removeprefix("W/").strip('"') if stated not in {"", "*"} else None


# What is done.


async def _edit(
    inquiry: Inquiry,
    change: Callable[[dict[str, Any]], None],
    what: str,
    *,
    begins: bool = False,
) -> Written:
    return await _editing(inquiry).edit(_wanted(inquiry, change, what), begins=begins)


def _wanted(inquiry: Inquiry, change: Callable[[dict[str, Any]], None], what: str) -> Edit:
    from spillover.config.writer import Edit

    named = {"profile": "profiles", "chain": "chains"}
    entries = [(named[kind], name) for kind, name in inquiry.names.items() if kind in named]
    entry = entries[0] if entries else None
    return Edit(change=change, what=what, by="api", revision=_revision(inquiry), entry=entry)


async def _edit_with_key(
    inquiry: Inquiry,
    name: str,
    body: Mapping[str, Any],
    change: Callable[[dict[str, Any], Mapping[str, Any]], None],
    what: str,
) -> Written:
    """Make an edit with the key that came with it; one that was pasted is kept only if it is made."""
    from spillover.config.edits import check_name
    from spillover.config.grants import check_grant, key_settings, read_key

    key = read_key(body.get("key"))
    begins = "profile" not in inquiry.names  # one that is added is the user's own
    check_name(name)
    if key is None:
        without = {"api_key": None} if "key" in body else {}
        return await _edit(inquiry, lambda document: change(document, without), what, begins=begins)
    folder = _editing(inquiry).path.parent
    given: GivenKey = key
    reference = await asyncio.to_thread(given.reference, name, folder=folder)

    def check(loaded: LoadedConfig) -> None:
        check_grant(loaded, name, given)

    settings = key_settings(reference)
    try:
        edit = _wanted(inquiry, lambda document: change(document, settings), what)
        granted = replace(edit, granted=reference, check=check)
        return await _editing(inquiry).edit(granted, begins=begins)
    except BaseException:
        await asyncio.to_thread(given.drop, reference, folder=folder)
        raise


# What is answered.


async def _answer(
    inquiry: Inquiry, document: dict[str, Any], written: Written, *, status: int = 200
) -> None:
    change = _editing(inquiry).change(written)
    await inquiry.visit.answer_json(status, document | {"change": change})


async def _answer_profile(
    inquiry: Inquiry, name: str, written: Written, *, status: int = 200
) -> None:
    from spillover.config.summary import profile

    standing = inquiry.engine.status()["profiles"].get(name, {})
    document = {"name": name, **standing, "config": profile(written.loaded, name)}
    await _answer(inquiry, document, written, status=status)


async def _answer_chain(
    inquiry: Inquiry, name: str, written: Written, *, status: int = 200
) -> None:
    from spillover.config.summary import chain

    standing = inquiry.engine.status()["chains"].get(name, {})
    document = {"name": name, **standing, "config": chain(written.loaded, name)}
    await _answer(inquiry, document, written, status=status)

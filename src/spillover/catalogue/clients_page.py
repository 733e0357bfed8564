"""Make `docs/clients.md` out of the clients' texts.

`python -m spillover.catalogue.clients_page docs/clients.md` writes it; a test fails when it is stale.
Refuses to say anything of a client that its entry doesn't.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spillover.catalogue.clients import Language, Link, Speech, load, started, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.catalogue.clients import Client

_INTRODUCTION: Final = """\
# Clients

<!-- Made by `make docs`: change src/spillover/catalogue/clients.toml instead. -->

A client of any of three protocols is pointed at the gateway; which upstreams serve it is the chain's affair (see [dialects](http.md#dialects)).

| protocol | base address | key |
| --- | --- | --- |
| OpenAI (chat, Responses) | `http://127.0.0.1:4400/v1` | `Authorization: Bearer` |
| Anthropic | `http://127.0.0.1:4400` | `x-api-key` or `Authorization: Bearer` |
| Gemini | `http://127.0.0.1:4400` | `x-goog-api-key` or `?key=` |

The key may be anything until `server.client_keys` is set. The model is a chain, a profile or an alias; `aliases: {"claude-*": default, "gemini-*": default, "gpt-*": default}` takes whatever names a client insists on.

`spillover connect CLIENT` prints what is below with your gateway's address, chain and key. What a file holds already stays: these lines go into it.

```console
$ spillover connect codex --model default
~/.codex/config.toml
…
base_url = "http://…/v1"
…
```
"""
_CLOSING: Final = """
## In one process

Clients on httpx need no server: `llm.httpx_client()` of the [library](library.md) serves every route here.
"""
_DOCS: Final = "tests/docs"
"""What runs every example of the docs."""
_TRIED: Final = frozenset({Language.BASH, Language.PYTHON, Language.YAML})
"""What `tests/docs` would run of itself."""
_PLAIN: Final = frozenset({"a program", "a shell"})
"""Places that go without saying."""
_SPOKEN: Final = {
    Speech.CHAT: "OpenAI's chat",
    Speech.RESPONSES: "OpenAI's Responses",
    Speech.ANTHROPIC: "Anthropic's Messages",
    Speech.GEMINI: "Gemini's protocol",
}


def page() -> str:
    """Return the text of the page."""
    clients = load()
    parts = [_INTRODUCTION]
    for group in clients.groups:
        parts.append(f"## {group.title}\n")
        for client in clients.of_group(group.id):
            parts += _section(client)
    return "\n".join(parts).rstrip("\n") + "\n" + _CLOSING


def _section(client: Client) -> Iterator[str]:
    link = Link()
    yield f"### {client.title}\n"
    yield f"`spillover connect {client.id}` · {_SPOKEN[client.protocol]} · {_trial(client)}\n"
    for part in client.parts:
        place = f"`{part.into}`" if part.is_file else part.into[0].upper() + part.into[1:]
        if part.into not in _PLAIN or len(client.parts) > 1:
            yield f"{place}:\n"
        if client.tried != _DOCS and part.language in _TRIED:
            reason = f"{client.tried} does" if client.tried else client.untried
            yield f"<!-- not run: {reason} -->"
        yield f"```{part.language}\n{written(part, link)}\n```\n"
    start = started(client, link)
    said = [f"Then: `{start}`." if start else "", client.note]
    if any(said):
        yield " ".join(filter(None, said)) + "\n"


def _trial(client: Client) -> str:
    source = f"after [its makers]({client.source}), {client.as_of}"
    if client.tried:
        return f"run by `make {'test' if client.tried == _DOCS else 'test-clients'}` · {source}"
    return f"not run here: {client.untried} · {source}"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), "utf-8")

"""The official SDKs of Anthropic, Google and OpenAI on the library's clients, without a server.

`python -m tests.clients.in_process FOLDER` with the Python of an environment that has the SDKs, and the
folder that Spillover's own dependencies are installed in. The upstreams are simulated.
"""

from __future__ import annotations

import asyncio
import importlib
import site
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spillover import Spillover, SyncSpillover

BASE = "http://spillover"
HI = [{"role": "user", "content": "hello"}]
FOR_ANTHROPIC: dict[str, Any] = {"model": "default", "max_tokens": 99, "messages": HI}
FOR_GOOGLE: dict[str, Any] = {"model": "default", "contents": "hello"}
FOR_OPENAI: dict[str, Any] = {"model": "default", "input": "hello"}


def check(text: str | None, where: str) -> None:
    """Exit where an answer is not the simulator's."""
    if "answering" not in (text or ""):
        sys.exit(f"{where}: found {text!r}")
    print(f"{where}: ok")


def raises(kind: type[Exception], where: str, ask: Any) -> None:
    """Exit where asking does not raise the SDK's own error."""
    try:
        ask()
    except kind:
        print(f"{where}: ok")
        return
    sys.exit(f"{where}: no {kind.__name__}")


def sync_sdks(llm: SyncSpillover) -> None:
    """Each SDK's client for threads: whole, streamed, refused."""
    anthropic: Any = importlib.import_module("anthropic")
    client = anthropic.Anthropic(
        base_url=BASE, api_key="-", http_client=llm.httpx2_client(), max_retries=0
    )
    check(client.messages.create(**FOR_ANTHROPIC).content[0].text, "anthropic")
    with client.messages.stream(**FOR_ANTHROPIC) as stream:
        check(stream.get_final_text(), "anthropic, stream")
    nobody = FOR_ANTHROPIC | {"model": "nobody"}
    raises(anthropic.NotFoundError, "anthropic, error", lambda: client.messages.create(**nobody))
    odd = FOR_ANTHROPIC | {"messages": 7}
    raises(anthropic.BadRequestError, "anthropic, odd", lambda: client.messages.create(**odd))

    genai: Any = importlib.import_module("google.genai")
    http_options = {"base_url": BASE, "httpx_client": llm.httpx2_client()}
    client = genai.Client(api_key="-", http_options=http_options)
    check(client.models.generate_content(**FOR_GOOGLE).text, "google-genai")
    pieces = [piece.text or "" for piece in client.models.generate_content_stream(**FOR_GOOGLE)]
    check("".join(pieces), "google-genai, stream")
    unknown = FOR_GOOGLE | {"model": "nobody"}
    ask = client.models.generate_content
    raises(genai.errors.ClientError, "google-genai, error", lambda: ask(**unknown))

    openai: Any = importlib.import_module("openai")
    client = openai.OpenAI(base_url=f"{BASE}/v1", api_key="-", http_client=llm.httpx2_client())
    check(client.responses.create(**FOR_OPENAI).output_text, "openai")
    vague = {"model": "default"}
    raises(openai.BadRequestError, "openai, odd", lambda: client.responses.create(**vague))


async def async_sdks(llm: Spillover) -> None:
    """Each SDK's client for event loops: whole and streamed."""
    anthropic: Any = importlib.import_module("anthropic")
    client = anthropic.AsyncAnthropic(base_url=BASE, api_key="-", http_client=llm.httpx2_client())
    check((await client.messages.create(**FOR_ANTHROPIC)).content[0].text, "anthropic, async")
    async with client.messages.stream(**FOR_ANTHROPIC) as stream:
        check(await stream.get_final_text(), "anthropic, async stream")

    genai: Any = importlib.import_module("google.genai")
    http_options = {"base_url": BASE, "httpx_async_client": llm.httpx2_client()}
    models = genai.Client(api_key="-", http_options=http_options).aio.models
    check((await models.generate_content(**FOR_GOOGLE)).text, "google-genai, async")
    pieces = [each.text or "" async for each in await models.generate_content_stream(**FOR_GOOGLE)]
    check("".join(pieces), "google-genai, async stream")

    openai: Any = importlib.import_module("openai")
    client = openai.AsyncOpenAI(base_url=f"{BASE}/v1", api_key="-", http_client=llm.httpx2_client())
    check((await client.responses.create(**FOR_OPENAI)).output_text, "openai, async")


def main(folder: str) -> None:
    """Ask by every SDK; exit at the first thing that is not as it has to be."""
    site.addsitedir(folder)  # behind the SDKs' own environment
    from spillover import Spillover
    from spillover.simulator import ProviderSpec, running

    async def ask(path: Path) -> None:
        async with Spillover.open(path) as llm:
            await async_sdks(llm)

    with running(ProviderSpec(name="far")) as (far,), tempfile.TemporaryDirectory() as name:
        path = Path(name, "spillover.yaml")
        profile = f'{{base_url: "{far.base_url}", model: m}}'
        path.write_text(
            f"storage: memory\nprofiles: {{far: {profile}}}\nchains: {{default: [far]}}\n", "utf-8"
        )
        with Spillover.open_sync(path) as llm:
            sync_sdks(llm)
        asyncio.run(ask(path))


if __name__ == "__main__":
    main(sys.argv[1])

"""A gateway over a real file, with a key of the environment and one that stands in the file."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from spillover.config.loader import load
from tests.serving import Reply, Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spillover.simulator import SimulatedProvider

TEXT = """\
# my own file
storage: memory
profiles:
  # the fast one
  one: {{base_url: "{one}", model: m1, api_key: "${{ONE_KEY}}"}}
  two:
    base_url: {two}   # over there
    model: m2
    api_key: "a-key-in-the-file"
  groq: {{provider: groq, api_key: "${{GROQ_API_KEY}}"}}
chains:
  default: [one, two]   # in this order
aliases: {{"gpt-*": default}}
"""
ENV = "ONE_KEY=key-of-one-0123\nGROQ_API_KEY=gsk_0123456789abcdef\nSECRET=the-hidden-word\n"


class Steered:
    """The gateway, and its file."""

    def __init__(self, served: Served, path: Path) -> None:
        self.served = served
        self.path = path

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    def post(self, path: str, body: object = None, **headers: str) -> Reply:
        return self.served.post(path, body, **headers)

    def put(self, path: str, body: object, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.served.ask("PUT", path, body, headers=named)

    def delete(self, path: str) -> Reply:
        return self.served.ask("DELETE", path)

    def config(self) -> Any:
        return self.served.get("/api/config").json

    def told(self, kind: str) -> int:
        events = self.served.get("/api/events/recent?limit=1000").json["events"]
        return sum(event["type"] == kind for event in events)


@contextmanager
def steering(
    folder: Path, both: tuple[SimulatedProvider, ...], *, follow: bool = False, more: str = ""
) -> Iterator[Steered]:
    """Serve a file in `folder` over two providers."""
    path = folder / "spillover.yaml"
    path.write_text(TEXT.format(one=both[0].base_url, two=both[1].base_url) + more, "utf-8")
    (folder / ".env").write_text(ENV, "utf-8")
    with serving(load(path, environ={}), follow=follow) as served:
        yield Steered(served, path)

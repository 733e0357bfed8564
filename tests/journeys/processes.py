"""The product as its users run it: simulated providers and gateways, each a process of its own.

Keys, prompts and answers carry marks. Whatever a gateway printed, told or kept is searched for them
when it ends, and for stack traces, so that every journey is a test of discretion too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openai import OpenAI

from tests.cli import terminal
from tests.engine.staging import LIMITS
from tests.serving import Reachable

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60.0

KEYMARK = "Kw2Lm9Xp4Vd8"
"""In the middle of every key: what is left of a masked key does not show it."""
PROMPTMARK = "whispering walrus"
ANSWERMARK = "narwhal answers softly"
MARKS = (KEYMARK, PROMPTMARK, ANSWERMARK)

ASKED: list[Any] = [{"role": "user", "content": f"What says the {PROMPTMARK}?"}]
ANSWER = f"The {ANSWERMARK} that all is well today."
"""What every simulated provider answers."""


def key_of(name: str) -> str:
    """Return the key that the provider of that name accepts."""
    return f"key-{name}-{KEYMARK}-{name[::-1]}"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A simulated provider in its own process, scripted and read over HTTP."""

    name: str
    base_url: str
    control_url: str

    def counters(self, window_s: float = 60.0) -> dict[str, Any]:
        """Return the judge's sums, and the most within any `window_s` seconds."""
        found: dict[str, Any] = self._control("GET", f"counters?window={window_s}")
        return found

    @property
    def accepted(self) -> int:
        count: int = self.counters()["accepted"]
        return count

    @property
    def tokens(self) -> int:
        """All tokens of the calls that ended."""
        found = self.counters()
        count: int = found["input_tokens"] + found["output_tokens"]
        return count

    def last(self) -> dict[str, Any]:
        """Return the last request that reached it."""
        found: dict[str, Any] = self._control("GET", "records?last=1")[-1]
        return found

    def script(self, fault: object, *, times: int | None = 1) -> None:
        """Spoil the next answers, None: all to come."""
        self._control("POST", "faults", {"fault": fault, "times": times})

    def change(self, **fields: object) -> None:
        self._control("PATCH", "spec", fields)

    def make_new(self) -> None:
        """Forget all that happened, and be as when it started."""
        self._control("POST", "reset")
        self.change(
            models={},
            limits=[],
            keys=[key_of(self.name)],
            answer=ANSWER,
            events=None,
            events_per_s=None,
            delay_s=0,
            first_token_s=0,
        )

    def _control(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            f"{self.control_url}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            return json.load(response)


@contextmanager
def provider(name: str) -> Iterator[Provider]:
    """Run a simulated provider that accepts one key."""
    command = ["-m", "spillover.simulator", "--port", "0", "--name", name, "--key", key_of(name)]
    process = subprocess.Popen(
        [sys.executable, *command, "--answer", ANSWER], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield Provider(name=name, base_url=said["base_url"], control_url=said["control_url"])
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


def document(*providers: Provider, limits: object = None, **more: object) -> dict[str, Any]:
    """Return a configuration with a profile for each provider, in one chain of that order.

    `limits` are those of the first profile.
    """
    profiles: dict[str, dict[str, Any]] = {
        each.name: {
            "base_url": each.base_url,
            "model": f"model-of-{each.name}",
            "api_key": key_of(each.name),
            "tier": "paid" if number else "free",
        }
        for number, each in enumerate(providers)
    }
    if limits is not None:
        profiles[providers[0].name]["limits"] = limits
    chain = {"profiles": list(profiles), "timeouts": LIMITS}
    return {"profiles": profiles, "chains": {"default": chain}, **more}


def write(path: Path, written: dict[str, Any]) -> Path:
    """Write a configuration in one step, as editors do, in JSON, which is YAML; return its path."""
    draft = path.with_name("draft")
    draft.write_text(json.dumps(written, indent=1), "utf-8")
    return draft.replace(path)


class Gateway(Reachable):
    """`spillover serve` as a process."""

    def __init__(self, serving: terminal.Serving) -> None:
        self.address = serving.address
        self.process = serving.process
        self._serving = serving

    @property
    def text(self) -> str:
        """Everything printed and logged so far."""
        return self._serving.text

    def client(self) -> OpenAI:
        """Return the official SDK, pointed here, without retries of its own."""
        return OpenAI(base_url=f"{self.address}/v1", api_key="any", max_retries=0)

    def served_by(self, **fields: Any) -> str:
        """Send a chat; return the profile that answered."""
        reply = self.chat(messages=ASKED, **fields)
        assert reply.status == 200, reply.body
        return {name.lower(): value for name, value in reply.headers.items()}["x-spillover-profile"]

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/api/status").json
        return found

    def profile(self, name: str = "first") -> dict[str, Any]:
        found: dict[str, Any] = self.status()["profiles"][name]
        return found

    def used(self, name: str = "first", span: str = "hour") -> dict[str, Any]:
        """Return what counts on a profile."""
        found: dict[str, Any] = self.profile(name)["usage"][span]
        return found

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of that type so far."""
        events = self.get("/api/events/recent?limit=1000").json["events"]
        return [event for event in events if event["type"] == kind]

    @property
    def rests(self) -> bool:
        """Whether nothing is in flight."""
        found = self.status()["profiles"].values()
        return not any(limit["reserved"] for each in found for limit in each["limits"])

    def shown(self) -> list[str]:
        """Return all that it shows of itself over HTTP, while it can."""
        paths = ("/api/status", "/api/events/recent?limit=1000", "/metrics", "/health", "/")
        if self.process.poll() is not None:
            return []
        return [self.get(path).body.decode() for path in paths]


@contextmanager
def gateway(config: Path, **variables: str) -> Iterator[Gateway]:
    """Run a gateway on a configuration; search what it leaves for marks and stack traces."""
    shown: list[str] = []
    state = Path(variables.get("SPILLOVER_STATE_DIR", os.environ.get("SPILLOVER_STATE_DIR", "")))
    with terminal.serving("serve", "--port", 0, "--config", config, **variables) as serving:
        found = Gateway(serving)
        yield found
        try:
            shown = found.shown()
        except OSError:
            assert found.process.poll() is not None or found.process.wait(SECONDS) is not None
    assert_discreet(found.text, *shown)
    assert_nothing_kept(state)


def assert_discreet(*texts: str) -> None:
    """Assert that texts hold no key, prompt or answer, and no stack trace."""
    for text in texts:
        found = [mark for mark in (*MARKS, "Traceback", 'File "') if mark in text]
        assert not found, (found, text)


def assert_nothing_kept(folder: Path) -> None:
    """Assert that no file in a folder holds a key, a prompt or an answer."""
    for path in folder.rglob("*") if folder.is_dir() else ():
        kept = path.read_bytes() if path.is_file() else b""
        found = [mark for mark in MARKS if mark.encode() in kept]
        assert not found, (found, path)

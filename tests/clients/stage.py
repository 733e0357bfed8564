"""Three situations that a foreign client is to get through, each a chain of a gateway of its own.

`staged` serves; the client is pointed at `address` and given a situation for its model, in which it
has a tool called that returns `RESULT`; `Stage.check` then says whether all came to pass. Upstreams
are simulated, and what a client sends past loopback by the proxy it is given is seen and goes nowhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from spillover.protocols.conversation.seals import Dialect
from spillover.simulator import Complaint, Fault, Outcome, ProviderSpec, running
from tests.journeys.dialects import FLAVOURS, a_profile
from tests.serving import Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from spillover.simulator import SimulatedProvider

PROMPT = "use the weather tool"
"""What simulated models answer by calling the tool of that name."""
RESULT = "sunny-and-21-degrees"
"""What the tool returns: its way back to a model is looked for."""
SAID = "answering with"
"""Part of every answer in words."""
CLIENT_S = 180.0


class Situation(StrEnum):
    """What becomes of a turn; the value is the chain, and so the client's model."""

    STEADY = "steady"
    """The first profile answers all of it."""
    LIMITED = "limited"
    """The first profile refuses with 429; the second, of the same protocol, answers."""
    CROSSING = "crossing"
    """The first profile calls the tool and fails when it is told the result: one of another
    protocol takes the conversation over."""


class Outside(ThreadingHTTPServer):
    """A proxy that lets nothing through, and remembers who was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refuser)
        self.asked: list[str] = []

    @property
    def variables(self) -> dict[str, str]:
        """The environment that sends a client here for all but loopback."""
        address, direct = f"http://127.0.0.1:{self.server_port}", "127.0.0.1,localhost"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        proxies = {case(name): address for name in names for case in (str.upper, str.lower)}
        return {**proxies, "NO_PROXY": direct, "no_proxy": direct}


class _Refuser(BaseHTTPRequestHandler):
    server: Outside

    def _refuse(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.send_error(502, "nothing leaves this machine")

    do_CONNECT = do_GET = do_HEAD = do_POST = do_PUT = _refuse  # noqa: N815 (http.server's names)

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class Stage:
    """A gateway, who stands behind it, and what leads out of the machine."""

    gateway: Served
    first: SimulatedProvider
    alike: SimulatedProvider
    """Of the first one's protocol."""
    other: SimulatedProvider
    """Of another protocol."""
    outside: Outside

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return self.gateway.address

    def set(self, situation: Situation, *, result: str = RESULT) -> None:
        """Forget what was, and have the providers play a situation.

        `result` is what tells a turn's second request from its first.
        """
        for provider in (self.first, self.alike, self.other):
            provider.reset()
        self.gateway.run(self.gateway.engine.clear_usage(None))
        self.outside.asked.clear()
        match situation:
            case Situation.STEADY:
                pass
            case Situation.LIMITED:
                self.first.script(Fault(error=Complaint.RATE_LIMITED), times=None)
            case Situation.CROSSING:
                self.first.script(Fault(error=Complaint.OVERLOADED), times=None, carrying=result)

    def check(self, situation: Situation, said: str, *, result: str = RESULT) -> None:
        """Raise AssertionError unless the turn went as the situation has it.

        `said` is the client's last word, and `result` what its last request has to carry.
        """
        server = {
            Situation.STEADY: self.first,
            Situation.LIMITED: self.alike,
            Situation.CROSSING: self.other,
        }[situation]
        seen = self.seen()
        assert f"{server.spec.title}, {SAID}" in said, f"not {server.spec.title}'s word: {said!r}"
        assert any(
            record.outcome is Outcome.ANSWERED and record.carries(result)
            for record in server.records
        ), f"{server.spec.title} never got {result!r}; {seen}"
        overloaded = 529 if self.first.spec.flavour == "anthropic" else 503
        wanted = {
            Situation.STEADY: {200},
            Situation.LIMITED: {429},
            Situation.CROSSING: {200, overloaded},
        }[situation]
        assert {record.status for record in self.first.records} == wanted, seen
        assert self.outside.asked == [], f"asked for {self.outside.asked}"

    def seen(self) -> str:
        """Return what reached the providers, in a line."""
        return "; ".join(
            f"{provider.spec.title}: "
            + (", ".join(f"{one.path} {one.status}" for one in provider.records) or "nothing")
            for provider in (self.first, self.alike, self.other)
        )

    def run(
        self, command: Sequence[str | Path], home: Path, variables: Mapping[str, str] | None = None
    ) -> str:
        """Run a client with a home and an environment of its own; return its standard output."""
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "NO_COLOR": "1",
            "DO_NOT_TRACK": "1",
            "CI": "1",
            **self.outside.variables,
            **(variables or {}),
        }
        done = subprocess.run(
            [str(each) for each in command],
            cwd=home,
            env=environ,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=CLIENT_S,
        )
        if done.returncode:
            shown = " ".join(str(each) for each in command[:3])
            sys.exit(f"{shown}: exit {done.returncode}\n{done.stdout}{done.stderr}\n{self.seen()}")
        return done.stdout


@contextmanager
def staged(first: Dialect = Dialect.CHAT, **more: Any) -> Iterator[Stage]:
    """Serve the situations, the first profile being of a dialect; `more` goes into the document."""
    other = Dialect.CHAT if first is Dialect.ANTHROPIC else Dialect.ANTHROPIC
    spoken = {"first": first, "alike": first, "other": other}
    specs = [ProviderSpec(flavour=FLAVOURS[each], name=name) for name, each in spoken.items()]
    with running(*specs) as providers:
        pairs = zip(spoken.items(), providers, strict=True)
        document = {
            "storage": "memory",
            "profiles": {name: a_profile(far, each) for (name, each), far in pairs},
            "chains": {
                Situation.STEADY: ["first"],
                Situation.LIMITED: ["first", "alike"],
                Situation.CROSSING: ["first", "other"],
            },
            **more,
        }
        with Outside() as outside, serving(document) as gateway:
            threading.Thread(target=outside.serve_forever, daemon=True).start()
            first_one, alike, another = providers
            yield Stage(gateway, first_one, alike, another, outside)
            outside.shutdown()

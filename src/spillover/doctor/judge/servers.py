"""Judge local servers: are they up, at which port, with which models, and how much memory.

Refuses to know sockets and processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spillover.core.values import Value
from spillover.doctor.findings import Finding, Level
from spillover.doctor.judge import managed as posts
from spillover.doctor.judge.managed import Place, Post
from spillover.doctor.judge.ports import pid_of
from spillover.doctor.systems import Act, System, command

if TYPE_CHECKING:
    from collections.abc import Iterator

GIB: Final = 1 << 30
MUCH: Final = GIB
"""More than this without `max_memory` is told."""
LONG_S: Final = 86_400.0
_LEAKS_BEFORE: Final = (1, 40, 0)
"""LiteLLM's proxy grew without end before 1.40.0."""


class Kind(Value, frozen=True, kw_only=True):
    """A program that serves models on this machine."""

    name: str
    start: str
    """The command that starts it; `{port}` in braces."""
    install: str
    """The command that brings it."""
    add_model: str
    """The command that gives it a model; `{model}` and `{port}` in braces."""
    health: str
    """Path that tells its health, from the root of its origin."""
    port: int


KINDS: Final = {
    "ollama": Kind(
        name="Ollama",
        start="ollama serve",
        install="https://ollama.com/download",
        add_model="ollama pull {model}",
        health="/api/version",
        port=11434,
    ),
    "lmstudio": Kind(
        name="LM Studio",
        start="lms server start --port {port}",
        install="https://lmstudio.ai/download",
        add_model="lms load {model}",
        health="/v1/models",
        port=1234,
    ),
    "llamacpp": Kind(
        name="llama.cpp",
        start="llama-server -m MODEL.gguf --port {port}",
        install="https://github.com/ggml-org/llama.cpp",
        add_model="llama-server -m {model}.gguf --port {port}",
        health="/health",
        port=8080,
    ),
    "vllm": Kind(
        name="vLLM",
        start="vllm serve MODEL --port {port}",
        install="pip install vllm",
        add_model="vllm serve {model} --port {port}",
        health="/health",
        port=8000,
    ),
    "litellm": Kind(
        name="LiteLLM",
        start="litellm --config litellm_config.yaml --port {port}",
        install="pip install 'litellm[proxy]'",
        add_model="litellm --model {model} --port {port}",
        health="/health/liveliness",
        port=4000,
    ),
}
"""By the catalogue's id."""


def kind_of_program(program: str) -> str:
    """Return the kind whose command a program is; empty: none's."""
    return next((name for name, each in KINDS.items() if each.start.split()[0] == program), "")


class Server(Value, frozen=True, kw_only=True):
    """A local server that profiles are configured for."""

    kind: str
    """The catalogue's id; empty: something else."""
    address: str
    """`127.0.0.1:11434`."""
    profiles: dict[str, str]
    """Profiles at it, and their models."""
    error: str = ""
    """No connection: why not."""
    health: int | None = None
    """Status of its health path; None: it has none."""
    models: tuple[str, ...] | None = None
    version: str = ""
    post: Post | None = None
    """How the gateway runs it; None: it does not."""
    holder: str = ""
    """The process at its port."""
    elsewhere: str = ""
    """Where a server of its kind answers instead."""
    memory: int | None = None
    age_s: float | None = None


class Unused(Value, frozen=True, kw_only=True):
    """A local server that answers, and that nobody asked for."""

    kind: str
    address: str
    models: tuple[str, ...]


def servers(found: Server, system: System) -> Iterator[Finding]:
    """Yield how a local server is."""
    kind = KINDS.get(found.kind)
    name = kind.name if kind is not None else "a server"
    about = ", ".join(found.profiles)
    post = found.post
    place = Place(
        name=name,
        address=found.address,
        about=about,
        error=found.error,
        holder=found.holder,
        health=found.health,
    )
    if post is not None:
        yield from posts.health(post, place, found.kind, kind.health if kind is not None else "")
    if found.error and post is not None:
        yield posts.down(post, place, system)
        return
    if found.error:
        yield _down(found, name, about, kind, system)
        return
    if post is not None:
        yield from posts.up(post, place, system)
    if found.health is not None and found.health >= 500:  # noqa: PLR2004 - as for managed servers
        yield Finding(
            check="server.local",
            level=Level.PROBLEM,
            about=about,
            saw=f"{name} at {found.address} says it is ill: {found.health}",
            why="it takes connections and can't serve; a model may still be loading",
            remedy=f"curl -i http://{found.address}{kind.health if kind else '/'}",
        )
    elif found.models == () and kind is not None:
        model = next(iter(found.profiles.values()))
        yield Finding(
            check="server.local",
            level=Level.PROBLEM,
            about=about,
            saw=f"{name} at {found.address} has no model",
            why="every request to it fails",
            remedy=kind.add_model.format(model=model, port=_port(found)),
        )
    else:
        count = f" with {_models(found.models)}" if found.models else ""
        yield Finding(
            check="server.local", about=about, saw=f"{name} is up at {found.address}{count}"
        )
    yield from _version(found, about)
    yield from size(found, system)


def _down(found: Server, name: str, about: str, kind: Kind | None, system: System) -> Finding:
    saw, why = f"{name} does not answer at {found.address}: {found.error}", "it is not running"
    remedy = _start(found, kind, system) if kind is not None else "start it"
    if found.elsewhere:
        why = f"one answers at {found.elsewhere}"
        remedy = f"base_url: http://{found.elsewhere}/v1"
    elif found.holder:
        why = f"{found.holder} has its port"
        pid = pid_of(found.holder)
        look = Act.WHO_HAS_PORT if pid is None else Act.END_PROCESS
        remedy = f"{command(system, look, port=_port(found), pid=pid)}\n{remedy}"
    return Finding(
        check="server.local", level=Level.PROBLEM, about=about, saw=saw, why=why, remedy=remedy
    )


def _start(found: Server, kind: Kind, system: System) -> str:
    """Return the commands that start a server at the port that it is looked for at."""
    port = _port(found)
    start = kind.start.format(port=port)
    if found.kind == "ollama" and port != kind.port:  # it takes no port as an argument
        address = command(system, Act.SET_VARIABLE, name="OLLAMA_HOST", value=found.address)
        return f"{address}\n{start}"
    return start


def _port(found: Server) -> int:
    return int(found.address.rpartition(":")[2])


def _version(found: Server, about: str) -> Iterator[Finding]:
    if found.kind != "litellm" or not found.version:
        return
    numbers = tuple(int(part) for part in found.version.split(".")[:3] if part.isdigit())
    if numbers < _LEAKS_BEFORE:
        yield Finding(
            check="server.version",
            level=Level.WARNING,
            about=about,
            saw=f"LiteLLM {found.version}",
            why="versions before 1.40.0 take more and more memory",
            remedy="pip install --upgrade 'litellm[proxy]'\n"
            "or have it recycled: upstream: {max_memory: 1GiB, max_age: 24h}",
        )
    else:
        yield Finding(check="server.version", about=about, saw=f"LiteLLM {found.version}")


def size(found: Server, system: System) -> Iterator[Finding]:
    """Yield how large and old a server is, where that is known."""
    if found.memory is None and found.age_s is None:
        return
    about = ", ".join(found.profiles)
    memory, age_s = found.memory or 0, found.age_s or 0.0
    shown = f"{memory / GIB:.1f} GiB, {age_s / 3_600:.1f} h old"
    # Models are large by nature: only a proxy that holds none is too large by itself.
    post = found.post
    most = (post.max_memory if post else None) or (MUCH if found.kind == "litellm" else None)
    oldest_s = (post.max_age_s if post else None) or (LONG_S if found.kind == "litellm" else None)
    too_large = most is not None and memory > most
    too_old = oldest_s is not None and age_s > oldest_s
    if not (too_large or too_old):
        yield Finding(check="server.managed", about=about, saw=shown)
        return
    pid = pid_of(found.holder) or "PID"
    end = command(system, Act.RESTART, pid=pid)
    yield Finding(
        check="server.managed",
        level=Level.WARNING,
        about=about,
        saw=f"{shown}: {'much memory' if too_large else 'it has run for long'}",
        why="it may leak; the gateway recycles it when no request is in flight"
        if post is not None
        else "it may leak, and nobody renews it",
        remedy=end
        if post is not None
        else f"{end}\nor let the gateway run it: upstream: {{max_memory: 1GiB, max_age: 24h}}",
    )


def _models(names: tuple[str, ...]) -> str:
    return f"{len(names)} model{'s' * (len(names) != 1)}"


def unused(found: Unused) -> Finding:
    """Return that a local server could serve."""
    kind = KINDS.get(found.kind)
    name = kind.name if kind is not None else found.kind
    return Finding(
        check="server.unused",
        level=Level.NOTE,
        about=found.kind,
        saw=f"{name} is up at {found.address} with {_models(found.models)}, and no profile uses it",
        why="it could serve when every quota is spent",
        remedy=f"profiles: {{{found.kind}: {{provider: {found.kind}, model: {found.models[0]!r}}}}}",
    )

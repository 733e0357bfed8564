"""What holds for every test: loopback only, nobody's own keys or files, repeatable examples."""

from __future__ import annotations

import functools
import importlib
import ipaddress
import os
import pkgutil
import socket
from collections import Counter
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, is_hypothesis_test, settings

import spillover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ws_proxy", "wss_proxy")
KEYS = ("_API_KEY", "_API_TOKEN", "_ACCESS_TOKEN", "_BASE_URL")
UNRESOLVABLE = (".invalid", ".test", ".example")
"""Reserved names (RFC 2606): to look one up fails at once, as it does where no server knows it."""

HERE = Path(__file__).parent

_escapes: list[str] = []


def _is_loopback(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _keep_to_loopback() -> None:
    """Fail whatever would leave the machine, in every thread, whichever library asks.

    No audit hook: one in Python would run while coverage begins in a new thread, and let another
    begin there, which Python 3.11 refuses. uvloop connects outside Python's sockets, unseen from
    here: tests run asyncio's own loop.
    """
    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, _reaching(name, getattr(socket.socket, name)))
    socket.getaddrinfo = _resolving(socket.getaddrinfo)


def _reaching(name: str, reach: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(reach)
    def kept(own: socket.socket, *args: Any) -> Any:
        address = args[-1] if args else None
        if isinstance(address, tuple) and isinstance(address[0], str):
            _refuse_foreign(address[0], f"socket.{name}")
        return reach(own, *args)

    return kept


def _resolving(resolve: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(resolve)
    def kept(host: object, *args: Any, **options: Any) -> Any:
        if isinstance(host, str | bytes):
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
            if name.endswith(UNRESOLVABLE):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            if name not in {"", "0.0.0.0", "::"}:  # asked for by servers, to listen
                _refuse_foreign(name, "socket.getaddrinfo")
        return resolve(host, *args, **options)

    return kept


def _refuse_foreign(host: str, asked: str) -> None:
    if not _is_loopback(host):
        _escapes.append(f"{asked} {host!r}")
        raise PermissionError(f"a test may reach loopback only, not {host!r}")


def _forget_the_developer() -> None:
    """Keep the developer's proxies, keys and config out of the tests and of what they start."""
    for name in list(os.environ):
        if name.lower() in PROXIES or name.endswith(KEYS) or name.startswith("SPILLOVER_"):
            del os.environ[name]
    os.environ["NO_PROXY"] = "127.0.0.1,localhost,::1"


# Tests repeat exactly; HYPOTHESIS_PROFILE=explore looks further, with new examples every time.
settings.register_profile(
    "ci",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

_forget_the_developer()
_keep_to_loopback()


LONG = ("journeys", "docs", "simulator", "cli", "dashboard")
"""Folders of tests that wait much: they begin first, so that nobody waits for the last of them."""
OUTSIDE = ("journeys", "docs", "structure")
"""Folders whose tests look from outside: what they run is covered by its own tests."""
PURE = ("core", "protocols")
"""Folders whose code is covered whole, by whatever examples it takes."""
EXAMPLES_COVERED = 8
"""Elsewhere so many examples of one test are covered: they differ from the first on."""

_uncovered = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long tests first, and leave out of coverage what would only take three times as long under it."""
    examples: Counter[str] = Counter()
    for item in items:
        name = item.nodeid.partition("[")[0]
        examples[name] += 1
        is_property = isinstance(item, pytest.Function) and is_hypothesis_test(item.obj)
        is_one_of_many = examples[name] > EXAMPLES_COVERED and _folder(item) not in PURE
        item.stash[_uncovered] = is_property or is_one_of_many or _folder(item) in OUTSIDE
    items.sort(key=lambda item: _folder(item) not in LONG)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(HERE).parts[0]


class Covering:
    """Coverage, on or off. Only changes touch it: each may meet a thread that begins, and fail."""

    def __init__(self) -> None:
        self._stopped: list[Coverage] = []
        """From the innermost: in a process of pytest-xdist one runs within another."""

    def __call__(self, *, wanted: bool) -> None:
        """Go on or stop, where coverage runs at all."""
        while wanted and self._stopped:
            self._stopped.pop().start()
        while not wanted and (coverage := Coverage.current()) is not None:
            coverage.stop()
            self._stopped.append(coverage)


_covering = Covering()


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Cover what the import of each module runs, and not pytest's own work on thousands of tests."""
    for module in pkgutil.walk_packages(spillover.__path__, "spillover."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    _covering(wanted=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Leave an uncovered test out of coverage from before its set-up until behind its end."""
    _covering(wanted=not item.stash[_uncovered])


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield unused names of folders, for much less than a `tmp_path` costs: most tests need no file."""
    return map(tmp_path_factory.mktemp("home").joinpath, map(str, count()))


@pytest.fixture(autouse=True)
def own_folders(home: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test, and what it starts, its own state and config folder; return the state's."""
    own = next(home)
    own.mkdir()
    state = own / "state"
    monkeypatch.setenv("SPILLOVER_STATE_DIR", str(state))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(own / name.lower()))
    return state


@pytest.fixture(autouse=True)
def loopback_only() -> Iterator[None]:
    """Fail a test that tried to leave the machine, even if the code under test took it calmly."""
    before = len(_escapes)

    yield

    escapes = _escapes[before:]
    assert not escapes, f"a test may reach loopback only: {escapes}"

"""Look at a set-up for a person: examine it, mend it, ask it for real answers, watch over it.

Refuses to know options and how findings are drawn.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING

import typer

from spillover.cli import NO, WRONG_USE, diagnosis, screen
from spillover.clock import SystemClock
from spillover.config.files import Changed
from spillover.config.locate import config_path
from spillover.core.values import Tier
from spillover.doctor.examination import examine, in_order
from spillover.doctor.findings import Finding, Level, document, is_sound
from spillover.doctor.judge import watch as watching
from spillover.doctor.judge.live import completion
from spillover.doctor.mending import mend
from spillover.doctor.probe.live import converse
from spillover.doctor.probe.subject import Subject
from spillover.doctor.probe.watch import Watch
from spillover.engine import EngineOptions, open_engine
from spillover.engine.engine import unknown
from spillover.errors import ConfigError, SpilloverError
from spillover.events.kinds import iso
from spillover.ledger.journal import StorageError
from spillover.library.finding import found_config
from spillover.upstream import HttpUpstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def watch_over(
    config: Path | None, profile: str | None, *, once: bool, every_s: float, as_json: bool
) -> bool:
    """Watch until the person leaves, or look once; return whether everyone was up in the end."""
    subject = subject_of(config, profile)
    if subject.loaded is None:
        raise ConfigError(subject.problems)
    try:
        return asyncio.run(_monitor(subject, once=once, every_s=every_s, as_json=as_json))
    except KeyboardInterrupt:  # how a person leaves
        if once:
            raise
        return True


def subject_of(config: Path | None, profile: str | None, resolver: str = "") -> Subject:
    """Return the set-up to look at; one whose configuration can't be used is one too."""
    path = config_path(config, os.environ)
    try:
        loaded = asyncio.run(found_config(config, os.environ))
    except ConfigError as error:
        return Subject(path=path, environ=os.environ, problems=error.problems)
    subject = Subject.of(path, os.environ, loaded, resolver=resolver)
    if profile is None:
        return subject
    if profile not in subject.profiles:
        raise unknown("profile", profile, subject.profiles)
    return Subject.of(path, os.environ, loaded, only=(profile,), resolver=resolver)


class Patient:
    """One set-up, looked at as often as needed."""

    def __init__(
        self, config: Path | None, profile: str | None, *, resolver: str = "", quiet: bool
    ) -> None:
        self._again: Callable[[], Subject] = lambda: subject_of(config, profile, resolver)
        self._quiet = quiet

    def findings(self) -> list[Finding]:
        """Examine it as it is now, with progress on a terminal."""
        subject = self._again()
        if self._quiet or not sys.stderr.isatty():
            return asyncio.run(examine(subject, _unheard))
        with screen.console(sys.stderr).status("looking …") as shown:

            def show(title: str, done: int, of: int) -> None:
                shown.update(f"looked at {title} ({done} of {of}) …")

            return asyncio.run(examine(subject, show))

    def answers(self, *, yes: bool) -> list[Finding]:
        """Ask each profile for a real token, once a person has agreed to it."""
        subject = self._again()
        if subject.loaded is None or subject.routing is None:
            raise ConfigError(subject.problems)
        if not yes:
            _agree(subject)
        return asyncio.run(_converse(subject))


def _unheard(title: str, done: int, of: int) -> None:
    """Take no notice of progress."""


def _agree(subject: Subject) -> None:
    """Have a person agree to real requests; nobody there to ask is no agreement."""
    routing = subject.routing
    known = {} if routing is None else routing.profiles
    paid = [name for name in subject.profiles if known[name].tier is Tier.PAID]
    count = len(subject.profiles)
    asked = f"This asks {count} profile{'s' * (count != 1)} for one real token each"
    asked += f", {', '.join(paid)} for money" if paid else ""
    if not sys.stdin.isatty():
        screen.complain(f"{asked}: say --yes to that")
        raise typer.Exit(WRONG_USE)
    typer.confirm(f"{asked}, counted like any request. Go on?", abort=True, err=True)


async def _converse(subject: Subject) -> list[Finding]:
    if subject.loaded is None:
        raise ConfigError(subject.problems)
    engine = await open_engine(subject.loaded)
    try:
        await engine.ledger.record()  # other processes' latest changes
        return [completion(each) for each in await converse(engine, subject.profiles)]
    finally:
        await engine.close(grace_s=0.0)


def mended(findings: list[Finding], again: Callable[[], list[Finding]]) -> list[Finding]:
    """Mend what can be mended; return that, and what is found then."""
    stamp = iso(SystemClock().now())[:19].replace("-", "").replace(":", "") + "Z"
    done = []
    for fix in dict.fromkeys(each.fix for each in findings if each.fix is not None):
        of = next(each for each in findings if each.fix == fix)
        try:
            told = mend(fix, stamp)
        except (OSError, ValueError, Changed, SpilloverError, StorageError) as error:
            screen.complain(f"{of.check} could not be mended: {error}")
        else:
            done.append(
                Finding(check=of.check, about=of.about, saw=of.saw, why=of.why, mended=told)
            )
    return in_order([*done, *again()]) if done else findings


def tell(findings: list[Finding], answers: list[Finding], *, as_json: bool) -> int:
    """Show what was found, and what real answers came to; return the exit code."""
    every = in_order([*findings, *answers])
    if as_json:
        screen.show_json([document(each) for each in every])
    else:
        if answers:
            screen.show([*diagnosis.answers_of(answers), ""])
        bad = [each for each in answers if each.level is not Level.OK]
        screen.show(diagnosis.lines_of(in_order([*findings, *bad])))
    return 0 if is_sound(every) else NO


async def _monitor(subject: Subject, *, once: bool, every_s: float, as_json: bool) -> bool:
    """Look until the person leaves, or once; return whether everyone was up in the end."""
    if subject.loaded is None:
        raise ConfigError(subject.problems)
    engine = await open_engine(subject.loaded, EngineOptions(serves=False))
    upstream = HttpUpstream()
    try:
        watch = Watch(subject, engine, upstream)
        with _board(live=not (once or as_json) and sys.stdout.isatty()) as show:
            while True:
                await engine.ledger.record()  # other processes' latest changes
                report = await watch.look()
                if as_json:
                    screen.show_json(watching.document(report))
                else:
                    show(report)
                if once:
                    return all(each.is_up for each in report.glances)
                sys.stdout.flush()
                await asyncio.sleep(every_s)
    finally:
        await upstream.close()
        await engine.close(grace_s=0.0)


@contextlib.contextmanager
def _board(*, live: bool) -> Iterator[Callable[[watching.Report], None]]:
    """Yield what draws a report: in its place on a terminal, else below the one before."""
    if not live:
        yield lambda report: screen.show([*diagnosis.report_of(report), ""])
        return
    from rich.console import Group  # noqa: PLC0415 - for the live view alone
    from rich.live import Live  # noqa: PLC0415 - the same

    with Live(
        console=screen.console(), screen=True, auto_refresh=False, redirect_stdout=False,
        redirect_stderr=False,
    ) as board:  # fmt: skip
        yield lambda report: board.update(
            Group(*(screen.drawn(line) for line in diagnosis.report_of(report))), refresh=True
        )

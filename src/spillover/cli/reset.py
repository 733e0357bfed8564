"""`spillover reset`: begin anew when nothing works any more, step by step."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from spillover.cli import NO, WRONG_USE
from spillover.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spillover.config.loader import LoadedConfig
    from spillover.recovery.reset import Step
    from spillover.recovery.running import Running

app = typer.Typer()

START_WITHIN_S: Final = 60.0
SEEN_WITHIN_S: Final = 5.0
WARNING: Final = "This starts managed servers anew, and clears logs, usage, cooldowns and failures, after a backup"


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask first.")] = False,
    port: Annotated[
        int | None,
        typer.Option("--port", "-p", help="The gateway's, if it was started with another one."),
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Begin anew when all providers fail.

    Restarts managed servers, backs up, clears logs, usage, cooldowns and failures, examines the
    set-up as doctor does, and looks whether the gateway serves. The configuration stays, and so do
    profiles that were disabled and pinned by hand. Exits with 1 when something is still wrong.
    """
    from spillover.cli import screen  # noqa: PLC0415 - loaded when it is asked for

    if not yes:
        if not sys.stdin.isatty():
            screen.complain(f"{WARNING}: say --yes to that")
            raise typer.Exit(WRONG_USE)
        typer.confirm(f"{WARNING}. Go on?", abort=True, err=True)
    steps = []
    for step in _steps(config, port):
        steps.append(step)
        if not json:
            sign = "✓" if step.done else "✗"
            screen.show([f"{sign} {step.step:<10} {step.told[0]}"])
            screen.show(f"{'':<13}{line}" for line in step.told[1:])
    if json:
        screen.show_json(
            [{"step": each.step, "done": each.done, "told": list(each.told)} for each in steps]
        )
    raise typer.Exit(0 if all(each.done for each in steps) else NO)


def _steps(config: Path | None, port: int | None) -> Iterator[Step]:
    """Take each step, and yield what came of it; what can't be done keeps no other from it."""
    from spillover.config.schema import Server  # noqa: PLC0415 - loaded when it is asked for
    from spillover.errors import ConfigError  # noqa: PLC0415 - the same
    from spillover.library.finding import found_config  # noqa: PLC0415 - the same
    from spillover.recovery.reset import Step, clear_logs, clear_usage  # noqa: PLC0415 - the same
    from spillover.recovery.running import Running  # noqa: PLC0415 - the same

    loaded: LoadedConfig | None = None
    problems: tuple[str, ...] = ()
    try:
        loaded = asyncio.run(found_config(config, os.environ))
    except ConfigError as error:
        problems = tuple(map(str, error.problems))
    gateway = Running(Server() if loaded is None else loaded.config.server, port)
    there = gateway.is_there()
    yield _upstreams(gateway, there=there)
    saved = _backup(config)
    yield saved
    if not saved.done:
        return
    yield clear_logs(os.environ if loaded is None else loaded.environ)
    if loaded is None:
        yield Step(step="usage", done=False, told=("the configuration can't be used", *problems))
        mend = "mend it (spillover check), or begin anew (spillover init --minimal)"
        yield Step(step="check", done=False, told=(mend,))
        return
    yield asyncio.run(clear_usage(loaded))
    yield _examined(config)
    yield _verified(gateway, there=there)


def _upstreams(gateway: Running, *, there: bool) -> Step:
    from spillover.recovery.reset import Step  # noqa: PLC0415 - loaded when it is asked for

    if not there:
        told = f"no gateway answers at {gateway.address}, so none of its servers runs"
        return Step(step="upstreams", done=True, told=(told,))
    names = gateway.restart_upstreams()
    if names is None:
        told = (
            f"the gateway at {gateway.address} refused to restart its servers: is its key another?"
        )
        return Step(step="upstreams", done=False, told=(told,))
    if not names:
        return Step(step="upstreams", done=True, told=("the gateway runs no servers of its own",))
    absent = gateway.absent(names, within_s=START_WITHIN_S)
    told = f"{', '.join(names)} started anew"
    if absent:
        told = f"{', '.join(absent)} did not start within {START_WITHIN_S:g} s: spillover doctor"
    return Step(step="upstreams", done=not absent, told=(told,))


def _backup(config: Path | None) -> Step:
    from spillover.cli.backup import backed_up  # noqa: PLC0415 - loaded when it is asked for
    from spillover.clock import SystemClock  # noqa: PLC0415 - the same
    from spillover.config.locate import config_path  # noqa: PLC0415 - the same
    from spillover.errors import BackupError  # noqa: PLC0415 - the same
    from spillover.recovery.backup import back_up, usual_file  # noqa: PLC0415 - the same
    from spillover.recovery.reset import Step  # noqa: PLC0415 - the same

    now = SystemClock().now()
    path = config_path(config, os.environ)
    try:
        done = back_up(path, usual_file(os.environ, now), environ=os.environ, now=now)
    except (BackupError, OSError) as error:
        return Step(step="backup", done=False, told=(f"{error}", "nothing was cleared"))
    return Step(step="backup", done=True, told=tuple(backed_up(done)))


def _examined(config: Path | None) -> Step:
    """Examine the set-up as `spillover doctor` does; nothing is sent that is billed."""
    from spillover.cli.consultation import Patient  # noqa: PLC0415 - loaded when it is asked for
    from spillover.doctor.findings import Level, is_sound  # noqa: PLC0415 - the same
    from spillover.recovery.reset import Step  # noqa: PLC0415 - the same

    findings = Patient(config, None, quiet=True).findings()
    bad = [each for each in findings if each.level is Level.PROBLEM]
    lines = [f"{each.about or each.check}: {each.saw}" for each in bad]
    told = f"{len(bad)} of {len(findings)} checks found something broken (spillover doctor)"
    if is_sound(findings):
        told = f"{len(findings)} checks found nothing broken"
    return Step(step="check", done=is_sound(findings), told=(told, *lines))


def _verified(gateway: Running, *, there: bool) -> Step:
    from spillover.recovery.reset import Step  # noqa: PLC0415 - loaded when it is asked for

    if not there:
        return Step(step="verify", done=True, told=("start the gateway: spillover serve",))
    health = gateway.health(within_s=SEEN_WITHIN_S)
    status = health.get("status", "gone")
    benched = health.get("benched_profiles", [])
    told = f"the gateway at {gateway.address} is {status}"
    told += f"; not able to serve: {', '.join(benched)}" if benched else ""
    return Step(step="verify", done=status in {"healthy", "degraded"}, told=(told,))

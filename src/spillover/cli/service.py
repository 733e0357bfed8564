"""`spillover service`: have the platform start the gateway at login, and keep it running."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from spillover.cli import NO
from spillover.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spillover.config.loader import LoadedConfig
    from spillover.errors import Problem
    from spillover.recovery.services import Service

GROUP = "service"
app = typer.Typer(no_args_is_help=True)

WITHIN_S: Final = 60.0
_WHERE: Final = ("SPILLOVER_STATE_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
"""Variables of this shell that a service needs to find the same files."""


@app.callback()
def service() -> None:
    """Run the gateway as a service: systemd's, launchd's or Windows'."""


@app.command()
def install(
    show: Annotated[
        bool, typer.Option("--print", help="Show what would be written and run, and do nothing.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Start the gateway now and at each login."""
    from spillover.cli import screen  # noqa: PLC0415 - loaded when it is asked for
    from spillover.config.files import write_whole  # noqa: PLC0415 - the same
    from spillover.config.locate import env_path  # noqa: PLC0415 - the same

    path = _config(config)
    found = _service(path)
    if show:
        screen.show([f"# {found.path}", *found.text.splitlines()])
        screen.show(f"$ {' '.join(command)}" for command in found.start)
        return
    loaded = _usable(path)
    write_whole(found.path, found.text.encode())
    screen.show([f"wrote {found.path}"])
    done = _run(found.start)
    for each in _only_here(path, loaded):
        screen.complain(f"a service has no variables of this shell: {each}; use {env_path(path)}")
    if found.note:
        screen.show([found.note])
    raise typer.Exit(0 if done else NO)


@app.command()
def status(json: JsonOption = False, config: ConfigOption = None) -> None:
    """Say whether the service is there and runs; exits with 1 when it does not."""
    from spillover.cli import screen  # noqa: PLC0415 - loaded when it is asked for

    found = _service(_config(config))
    installed = found.path.exists()
    runs = installed and _ran(found.status)[0] == 0
    if json:
        screen.show_json({"file": str(found.path), "installed": installed, "running": runs})
    elif installed:
        screen.show([f"{found.path}: {'running' if runs else 'not running'}"])
    else:
        screen.show(["not installed: spillover service install"])
    raise typer.Exit(0 if runs else NO)


@app.command()
def remove(config: ConfigOption = None) -> None:
    """Stop the gateway, and start it no more."""
    from spillover.cli import screen  # noqa: PLC0415 - loaded when it is asked for

    found = _service(_config(config))
    if not found.path.exists():
        screen.show(["not installed"])
        return
    done = _run(found.stop)
    found.path.unlink()
    done = _run(found.forget) and done
    screen.show([f"removed {found.path}"])
    raise typer.Exit(0 if done else NO)


def _config(given: Path | None) -> Path:
    from spillover.config.locate import config_path  # noqa: PLC0415 - loaded when it is asked for

    return Path(os.path.abspath(config_path(given, os.environ)))  # noqa: PTH100 - links stay links


def _service(config: Path) -> Service:
    from spillover.recovery import services  # noqa: PLC0415 - loaded when it is asked for

    wish = services.Wish(
        python=sys.executable,
        config=str(config),
        home=str(Path.home()),
        environ={name: os.environ[name] for name in _WHERE if os.environ.get(name)},
    )
    return services.service(services.manager_of(sys.platform), wish, os.environ)


def _usable(path: Path) -> LoadedConfig:
    """Return the configuration; raises ConfigError: a service that can't start helps nobody."""
    from spillover.config.loader import load  # noqa: PLC0415 - loaded when it is asked for

    return load(path, environ=os.environ)


def _only_here(path: Path, loaded: LoadedConfig) -> list[Problem]:
    """Return what is missing where there is no variable of this shell."""
    from spillover.config.loader import load  # noqa: PLC0415 - loaded when it is asked for
    from spillover.errors import ConfigError  # noqa: PLC0415 - the same

    try:
        there: tuple[Problem, ...] = load(path, environ={}).missing_keys
    except ConfigError as error:
        there = error.problems
    return [each for each in there if each not in loaded.missing_keys]


def _run(commands: Iterable[tuple[str, ...]]) -> bool:
    """Run the platform's commands; tell of one that fails, and leave the others to a person."""
    from spillover.cli import screen  # noqa: PLC0415 - loaded when it is asked for

    for command in commands:
        code, said = _ran(command)
        if code != 0:
            why = f" ({said})" if said else ""
            screen.complain(f"this did not work{why}; try it yourself: {' '.join(command)}")
            return False
    return True


def _ran(command: tuple[str, ...]) -> tuple[int | None, str]:
    """Run a command of the platform; return its exit code and the last line it complained with.

    No code: it could not be run.
    """
    program = shutil.which(command[0])
    if program is None:
        return None, f"{command[0]} is not found"
    try:
        done = subprocess.run(  # noqa: S603 - the platform's own, with arguments of ours alone
            [program, *command[1:]], capture_output=True, timeout=WITHIN_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return None, type(error).__name__
    complaint = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return done.returncode, complaint[-1] if complaint else ""

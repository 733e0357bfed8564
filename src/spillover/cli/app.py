"""Put the commands together into one typer application.

Refuses to know what they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from spillover import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType


_HELP: Final = """One endpoint over all your LLM quotas.

Start with spillover demo, or point any OpenAI client at spillover serve."""


def build(modules: Iterable[ModuleType]) -> typer.Typer:
    """Return the application with the commands of `modules`, in their order.

    A module has an `app`, and a `GROUP` name where its commands stand below one word.
    """
    app = typer.Typer(
        help=_HELP,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def spillover(
        _version: Annotated[
            bool,
            typer.Option(
                "--version",
                help="Print the version and exit.",
                callback=_print_version,
                is_eager=True,
            ),
        ] = False,
    ) -> None:
        pass

    for module in modules:
        app.add_typer(module.app, name=getattr(module, "GROUP", None))
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"spillover {__version__}")
        raise typer.Exit

"""`spillover doctor`, `verify`, `monitor`: what is wrong, why, and what to do about it.

What does it is loaded when it is asked for: the help of all commands waits for this module too.
"""

from __future__ import annotations

from typing import Annotated

import typer

from spillover.cli import NO
from spillover.cli.options import ConfigOption, JsonOption

app = typer.Typer()

ProfileArgument = Annotated[
    str | None, typer.Argument(metavar="[PROFILE]", show_default=False, help="This one alone.")
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Send real requests without asking first.")
]
EveryOption = Annotated[
    float, typer.Option("--every", min=1, metavar="SECONDS", help="How often to look.")
]
ResolverOption = Annotated[
    str,
    typer.Option(
        "--resolver", metavar="ADDRESS", help="A second DNS resolver to ask, such as 1.1.1.1."
    ),
]
OnceOption = Annotated[bool, typer.Option("--once", help="Look once, and say what was seen.")]
EVERY_S = 30.0


@app.command()
def doctor(
    profile: ProfileArgument = None,
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Ask each profile for one real token too.")
    ] = False,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline",
            help="Play outages to your own chain over simulated providers; PROFILE names a chain.",
        ),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Stay, and look again and again.")
    ] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended for you.")] = False,
    yes: YesOption = False,
    resolver: ResolverOption = "",
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Find what is wrong, why it matters, and what to do.

    Nothing is sent that is billed, but with --live, which asks first. Exits with 1 if anything is
    broken; warnings break nothing.
    """
    if live + offline + watch > 1:
        raise typer.BadParameter("one of --live, --offline and --watch")
    if offline:
        from spillover.cli.rehearsal import rehearse  # noqa: PLC0415 - it loads the simulator

        raise typer.Exit(rehearse(config, profile, as_json=json))
    if watch:
        monitor(profile=profile, json=json, config=config)
    from spillover.cli.consultation import Patient, mended, tell  # noqa: PLC0415 - as above

    patient = Patient(config, profile, resolver=resolver, quiet=json)
    findings = patient.findings()
    if fix:
        findings = mended(findings, patient.findings)
    answers = patient.answers(yes=yes) if live else []
    raise typer.Exit(tell(findings, answers, as_json=json))


@app.command()
def verify(
    profile: ProfileArgument = None,
    yes: YesOption = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Test the whole set-up with one real answer from each profile: doctor --live."""
    from spillover.cli.consultation import Patient, tell  # noqa: PLC0415 - as above

    patient = Patient(config, profile, quiet=json)
    answers = patient.answers(yes=yes)
    raise typer.Exit(tell(patient.findings(), answers, as_json=json))


@app.command()
def monitor(
    profile: ProfileArgument = None,
    once: OnceOption = False,
    every: EveryOption = EVERY_S,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Watch over all providers: doctor --watch.

    With --once it exits with 1 when one does not answer.
    """
    from spillover.cli.consultation import watch_over  # noqa: PLC0415 - as above

    all_up = watch_over(config, profile, once=once, every_s=every, as_json=json)
    raise typer.Exit(0 if all_up else NO)

"""The program; its commands are in `commands`, what they do is in the modules beside this one.

Dagster is imported by what runs alone, since it takes longer than all else.
"""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from talk_pipeline.cli.commands import connecting, keeping, records, running
from talk_pipeline.cli.exits import one_line_errors, tell
from talk_pipeline.cli.logs import show_progress
from talk_pipeline.cli.terminal import OUTPUT, say
from talk_pipeline.disks import written_to


class _Commands(TyperGroup):
    """Every command ends the way `exits` says, and so does what goes wrong before it begins."""

    def invoke(self, ctx: Any) -> Any:
        with one_line_errors():
            return super().invoke(ctx)


app = typer.Typer(
    cls=_Commands,
    name="talk-pipeline",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for group in (running, records, keeping, connecting):
    app.add_typer(group.commands)


def _tell_version(asked: bool) -> None:
    if asked:
        from talk_pipeline.cli.status import told_version

        say(told_version())
        raise typer.Exit


@app.callback(help="Keeps a web shop and Business Central in step.")
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the release.")
    ] = False,
) -> None:
    """What is asked of the program itself is answered before any command is looked for."""


def run() -> None:
    """All of it; `entry` is the console script."""
    show_progress()
    try:
        with written_to(OUTPUT):
            try:
                app()
            finally:
                sys.stdout.flush()
    except OSError as error:  # of what is printed before a command begins, such as the help
        sys.exit(tell(error))

"""What is known as a whole: kept, put back, made smaller."""

from pathlib import Path
from typing import Annotated

import typer

from talk_pipeline.cli.company import of_a_company

commands = typer.Typer()


@commands.command()
@of_a_company
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE if it is there.")] = False,
) -> None:
    """Write all that is known into one file, while no run is at work, and prove that it can be read.

    It holds links, decisions, what both sides last agreed on, and the history; no settings and no secrets.
    """
    from talk_pipeline.cli.keeping import back_up

    back_up(file, overwrite=overwrite)


@commands.command()
@of_a_company
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup of this installation.")],
) -> None:
    """Put a backup in the place of what is known; what was there is kept beside it, under a name that is told.

    The next sync reads both systems in full; what was linked or made since the backup is found again by its keys.
    """
    from talk_pipeline.cli.keeping import restore as put_back

    put_back(file)


@commands.command()
@of_a_company
def moved() -> None:
    """Say that a system is the same as ever at the address that the settings name now: all links stay.

    It is believed where the newest linked records are there under their ids and with their keys. Nothing is written
    to either system; the next sync reads both in full.
    """
    from talk_pipeline.cli.keeping import moved as take_over

    take_over()


@commands.command()
@of_a_company
def prune() -> None:
    """Remove what is older than TALK_KEEP_DAYS and TALK_KEEP_RUNS_DAYS say; the daemon does it every night."""
    from talk_pipeline.cli.keeping import prune as prune_all

    prune_all()

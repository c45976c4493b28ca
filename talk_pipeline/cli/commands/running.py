"""Runs, and what they say."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from talk_pipeline.cli.commands.arguments import AsJson, Taken
from talk_pipeline.cli.company import of_a_company, of_any_company, of_each_company
from talk_pipeline.cli.exits import UsageError
from talk_pipeline.flows.bounds import MOST_DAYS, MOST_SECONDS
from talk_pipeline.flows.sides import Side
from talk_pipeline.wording import counted

commands = typer.Typer()


class Format(StrEnum):
    """How a checklist is written."""

    TEXT = "text"
    JSON = "json"
    RST = "rst"
    HTML = "html"
    PDF = "pdf"


@commands.command()
@of_each_company
def sync(
    flow: Annotated[list[str] | None, typer.Option(help="Only this flow; may be repeated.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything, and find what disappeared.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan, and write nothing.")] = False,
    approve: Annotated[bool, typer.Option("--approve", help="Let an implausible plan pass.")] = False,
    restored: Annotated[
        list[Taken] | None,
        typer.Option(
            help="This system was restored from a backup: bring what is newer on the other side back to it."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    plan: Annotated[
        Path | None, typer.Option(help="With --dry-run: a .csv or .json file for the plan.")
    ] = None,
) -> None:
    """Synchronize once, as one Dagster run in this process, and print the checklist."""
    from talk_pipeline.cli.syncing import synchronize
    from talk_pipeline.run.session import Options

    if restored and len(restored) > 1:
        raise UsageError(
            f"--restored is given once, and not {counted(len(restored), 'time')}: name one system, and the other "
            "one in the next run if that says that it was restored too"
        )
    side = Side(restored[0]) if restored else None
    options = Options(full=full, dry_run=dry_run, approve=approve, restored=side)
    raise typer.Exit(synchronize(tuple(flow or ()), options=options, as_json=as_json, plan=plan))


@commands.command()
@of_a_company
def checklist(
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TEXT,
    out: Annotated[Path | None, typer.Option(help="A file instead of the terminal.")] = None,
    without_results: Annotated[
        bool, typer.Option("--without-results", help="Only what the flow files say must hold.")
    ] = False,
) -> None:
    """Write the QA checklist as a document: what must hold, and what the last run found."""
    from talk_pipeline.cli.checklist import write_checklist

    raise typer.Exit(write_checklist(form.value, out=out, with_results=not without_results))


@commands.command()
@of_any_company
def status(as_json: AsJson = False) -> None:
    """Tell how things stand: the last run, how far each flow lags, open requests, how much waits for a person.

    The lag is the time since the last run that carried the flow through began. From the database and the files
    beside it alone, and with exit status 0 whatever it tells. Where there are several companies, of all of them.
    """
    from talk_pipeline.cli.status import print_status

    raise typer.Exit(print_status(as_json=as_json))


@commands.command()
@of_any_company
def metrics(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 9464,
    every: Annotated[float, typer.Option(min=1, max=MOST_SECONDS, help="Seconds between two looks.")] = 30,
) -> None:
    """Tell Prometheus how things stand until stopped: the numbers of `status`, of a company or of all.

    Needs the extra `metrics`.
    """
    from talk_pipeline.cli.metrics import serve

    serve(host=host, port=port, every=every)


@commands.command()
@of_a_company
def attention(as_json: AsJson = False) -> None:
    """List everything that waits for a person, over all flows: why, for how long, and the next step.

    From the database alone, and with exit status 0 whatever it tells.
    """
    from talk_pipeline.cli.attention import print_attention

    print_attention(as_json=as_json)


@commands.command()
@of_any_company
def alerts(
    test: Annotated[bool, typer.Option("--test", help="Send a test to everybody instead.")] = False,
) -> None:
    """Tell the people of TALK_ALERTS what failed, what broke off, and what waits for them; each thing once.

    The daemon does it every minute. From a timer it also tells that the daemon is not at work. Of several companies
    it tells of each, and of what is no company's own, unless one is named.
    """
    from talk_pipeline.cli.alerts import tell_people

    tell_people(test=test)


@commands.command()
@of_a_company
def conflicts(
    flow: Annotated[
        str | None, typer.Argument(metavar="[FLOW]", help="Only of this flow; by default of all.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=MOST_DAYS, help="How many days back; by default all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the conflicts that nobody has acknowledged yet, with both values: which edit lost, and by which rule.

    And the records that a restored system lost, and that nobody has acknowledged either.
    """
    from talk_pipeline.cli.conflicts import print_conflicts

    print_conflicts(flow, days=days, as_json=as_json)


@commands.command()
@of_a_company
def writes(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]", help="Its id, or at least 4 characters of its beginning; by default the last."
        ),
    ] = None,
    flow: Annotated[str | None, typer.Option(help="Only this flow; by default all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List every value that a run wrote, with what it replaced, why, and what came of it; failures come first."""
    from talk_pipeline.cli.writes import print_writes

    print_writes(run, flow=flow, as_json=as_json)


@commands.command()
@of_a_company
def audit(
    flow: Annotated[
        list[str] | None, typer.Argument(metavar="[FLOW]...", help="Only these flows; by default all.")
    ] = None,
    as_json: AsJson = False,
    csv: Annotated[Path | None, typer.Option(help="A .csv file for all that does not agree.")] = None,
) -> None:
    """Read both systems anew, and tell of every record and property whether it agrees, or why it does not.

    Shares no code with what synchronizes. Ends with 1 when nobody explains a difference. What moves no modified
    time, such as stock, is sure to be in step after a full run only.
    """
    from talk_pipeline.cli.auditing import print_audit

    raise typer.Exit(print_audit(tuple(flow or ()), as_json=as_json, file=csv))


@commands.command()
@of_a_company
def undo(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="The run to undo: its id, or at least 4 characters of its beginning."
        ),
    ],
    flow: Annotated[list[str] | None, typer.Option(help="Only this flow; may be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be put back.")] = False,
    approve: Annotated[bool, typer.Option("--approve", help="Let an implausible plan pass.")] = False,
    as_json: AsJson = False,
    plan: Annotated[
        Path | None, typer.Option(help="With --dry-run: a .csv or .json file for the plan.")
    ] = None,
) -> None:
    """Put back what the updates of a run replaced, where nobody has edited since; the rest is listed.

    One more run, planned and guarded like any other: each value goes back where it was, and from there to the
    other side. Whole records that the run created or deleted stay as they are.
    """
    from talk_pipeline.cli.syncing import synchronize
    from talk_pipeline.cli.undoing import undoing

    names, options = undoing(run, tuple(flow or ()), dry_run=dry_run, approve=approve)
    raise typer.Exit(synchronize(names, options=options, as_json=as_json, plan=plan))

"""The commands and their options; what they do is in the modules beside this one.

Dagster is imported by `sync` alone, since it takes longer than all else.
"""

import gc
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from talk_pipeline.cli.exits import one_line_errors
from talk_pipeline.cli.logs import show_progress
from talk_pipeline.flows.properties import Side


class _Commands(TyperGroup):
    """Every command ends the way `exits` says, and so does what goes wrong before it begins."""

    def invoke(self, ctx: Any) -> Any:
        with one_line_errors():
            return super().invoke(ctx)


app = typer.Typer(
    cls=_Commands,
    name="talk-pipeline",
    help="Keeps a web shop and Business Central in step.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


class Format(StrEnum):
    """How a checklist is written."""

    TEXT = "text"
    JSON = "json"
    RST = "rst"
    HTML = "html"


class Taken(StrEnum):
    """A system, by name."""

    CUSTOMWEBSHOP = "customwebshop"
    BUSINESSCENTRAL = "businesscentral"


FlowName = Annotated[str, typer.Argument(metavar="FLOW", help="The flow's name.")]
AnyId = Annotated[str, typer.Argument(metavar="ID", help="A shop id, a Business Central id, or a key.")]
ShopId = Annotated[str, typer.Argument(metavar="SHOP_ID", help="The shop record, by its id or a key.")]
BcId = Annotated[str, typer.Argument(metavar="BC_ID", help="The Business Central record, by id or key.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def sync(
    flow: Annotated[list[str] | None, typer.Option(help="Only this flow; may be repeated.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything, and find what disappeared.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan, and write nothing.")] = False,
    approve: Annotated[bool, typer.Option("--approve", help="Let an implausible plan pass.")] = False,
    restored: Annotated[
        Taken | None,
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

    with one_line_errors():
        side = Side(restored) if restored else None
        options = Options(full=full, dry_run=dry_run, approve=approve, restored=side)
        raise typer.Exit(synchronize(tuple(flow or ()), options=options, as_json=as_json, plan=plan))


@app.command()
def checklist(
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TEXT,
    out: Annotated[Path | None, typer.Option(help="A file instead of the terminal.")] = None,
) -> None:
    """Print the QA checklist of the last run."""
    from talk_pipeline.cli.checklist import print_checklist

    with one_line_errors():
        raise typer.Exit(print_checklist(form.value, out=out))


@app.command()
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

    with one_line_errors():
        raise typer.Exit(print_audit(tuple(flow or ()), as_json=as_json, file=csv))


@app.command()
def explain(flow: FlowName, id_: AnyId, as_json: AsJson = False) -> None:
    """Tell all that is known of one record: state and reason, link, both sides, what is planned, what was done.

    From the database alone, as the last sync left it. Several records known by the same ID are listed.
    """
    from talk_pipeline.cli.records import print_explanation

    with one_line_errors():
        print_explanation(flow, id_, as_json=as_json)


@app.command()
def history(flow: FlowName, id_: AnyId, as_json: AsJson = False) -> None:
    """Tell what happened to one record, oldest first: links, edits, every value written, conflicts, refusals."""
    from talk_pipeline.cli.records import print_history

    with one_line_errors():
        print_history(flow, id_, as_json=as_json)


@app.command()
def link(flow: FlowName, shop_id: ShopId, bc_id: BcId, as_json: AsJson = False) -> None:
    """Link two records by hand, whatever the match rules say; the next sync treats it as a first meeting."""
    from talk_pipeline.cli import byhand

    with one_line_errors():
        byhand.link(flow, shop_id, bc_id, as_json=as_json)


@app.command()
def unlink(
    flow: FlowName,
    shop_id: ShopId,
    bc_id: Annotated[
        str | None, typer.Argument(metavar="[BC_ID]", help="With --never: the record it is not.")
    ] = None,
    never: Annotated[bool, typer.Option("--never", help="The rules never match these two.")] = False,
    recreate: Annotated[
        bool, typer.Option("--recreate", help="Let the next sync match or create the shop record anew.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Undo a link for good: no rule makes it again, and the shop record is held until it is linked or released.

    With --recreate it is released at once, or later. With --never and a BC_ID the two need not be linked.
    """
    from talk_pipeline.cli import byhand

    with one_line_errors():
        byhand.unlink(flow, shop_id, bc_id, never=never, recreate=recreate, as_json=as_json)


@app.command()
def resolve(
    flow: FlowName,
    id_: AnyId,
    take: Annotated[Taken, typer.Option(help="The side whose value counts.")],
    prop: Annotated[
        str | None, typer.Argument(metavar="[PROPERTY]", help="Only this property; by default all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decide open conflicts (policy manual) of one record; the next sync carries it out."""
    from talk_pipeline.cli import byhand

    with one_line_errors():
        byhand.resolve(flow, id_, prop, take=take.value, as_json=as_json)


@app.command()
def retry(
    flow: FlowName,
    id_: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only this record; by default all of the flow.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let the next sync try again what a system refused, or what the two keep storing differently."""
    from talk_pipeline.cli import byhand

    with one_line_errors():
        byhand.retry(flow, id_, as_json=as_json)


@app.command()
def undo(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="The run to undo: its id, or enough of its beginning.")
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

    with one_line_errors():
        names, options = undoing(run, tuple(flow or ()), dry_run=dry_run, approve=approve)
        raise typer.Exit(synchronize(names, options=options, as_json=as_json, plan=plan))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE if it is there.")] = False,
) -> None:
    """Write all that is known into one file, while no run is at work, and prove that it can be read.

    It holds links, decisions, what both sides last agreed on, and the history; no settings and no secrets.
    """
    from talk_pipeline.cli.keeping import back_up

    with one_line_errors():
        back_up(file, overwrite=overwrite)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup of this installation.")],
) -> None:
    """Put a backup in the place of what is known; what was there is kept beside it, under a name that is told.

    The next sync reads both systems in full; what was linked or made since the backup is found again by its keys.
    """
    from talk_pipeline.cli.keeping import restore as put_back

    with one_line_errors():
        put_back(file)


@app.command()
def prune() -> None:
    """Remove what is older than TALK_KEEP_DAYS and TALK_KEEP_RUNS_DAYS say; the daemon does it every night."""
    from talk_pipeline.cli.keeping import prune as prune_all

    with one_line_errors():
        prune_all()


@app.command()
def forget(
    flow: FlowName,
    id_: AnyId,
    with_orders: Annotated[
        bool, typer.Option("--with-orders", help="And all that refers to it, such as a customer's orders.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Forget a person who was erased in the systems: no value of the record stays, in either half or in any log.

    What a system still says of it stays, and is told: the next read would bring it back. Ids stay, so that nothing
    is made twice.
    """
    from talk_pipeline.cli.keeping import forget as forget_one

    with one_line_errors():
        forget_one(flow, id_, with_orders=with_orders, as_json=as_json)


@app.command("check-config")
def check_config() -> None:
    """Check the flow and connector files, and prove them against the two systems where settings name them."""
    from talk_pipeline.cli.configuration import check_configuration

    with one_line_errors():
        raise typer.Exit(check_configuration())


@app.command("new-connector")
def new_connector(name: Annotated[str, typer.Argument(help="What to call it: writes NAME.yaml.")]) -> None:
    """Write a commented description of a shop's API to start from."""
    from talk_pipeline.cli.connectors import new_connector as write

    with one_line_errors():
        file = write(name)
        typer.echo(f"{file} is written: set CUSTOMWEBSHOP_CONNECTOR={file}, edit it, run check-config")


@app.command()
def sandbox(
    port_shop: Annotated[int, typer.Option(help="The shop's port; 0 takes a free one.")] = 0,
    port_bc: Annotated[int, typer.Option(help="Business Central's port; 0 takes a free one.")] = 0,
    state: Annotated[Path | None, typer.Option(help="File in which both keep their records.")] = None,
    size: Annotated[int | None, typer.Option(help="N customers, N products, 2N orders, generated.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the generator.")] = 0,
    shop_profile: Annotated[str, typer.Option(help="Its wire shape; a wrong one lists them.")] = "reference",
    applications: Annotated[int, typer.Option(min=1, max=10, help="How many enter Business Central.")] = 1,
) -> None:
    """Serve both systems on this machine until stopped, and print the environment that points at them."""
    from talk_pipeline.cli.sandboxing import serve_sandbox

    with one_line_errors():
        serve_sandbox(
            state=state,
            size=size,
            seed=seed,
            port_shop=port_shop,
            port_bc=port_bc,
            shop_profile=shop_profile,
            applications=applications,
        )


@app.command()
def webhooks(
    url: Annotated[str, typer.Option(help="How the two systems reach this server from outside.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8080,
) -> None:
    """Receive change notices until stopped; they wake the sensors."""
    from talk_pipeline.installation import Connections
    from talk_pipeline.settings import Settings
    from talk_pipeline.webhooks.receiver import serve

    with one_line_errors():
        serve(Connections(Settings.load()), url=url, host=host, port=port)


def run() -> None:
    """The console script."""
    gc.set_threshold(50_000)  # looking for garbage among all that is imported took a tenth of the time
    show_progress()
    app()

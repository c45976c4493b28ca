"""What is known of one record, and what a person decides about it."""

from typing import Annotated

import typer

from talk_pipeline.cli.commands.arguments import AnyId, AsJson, BcId, FlowName, ShopId, Taken
from talk_pipeline.cli.company import of_a_company

commands = typer.Typer()


@commands.command()
@of_a_company
def explain(flow: FlowName, id_: AnyId, as_json: AsJson = False) -> None:
    """Tell all that is known of one record: state and reason, link, both sides, what is planned, what was done.

    From the database alone, as the last sync left it. Several records known by the same ID are listed.
    """
    from talk_pipeline.cli.records import print_explanation

    print_explanation(flow, id_, as_json=as_json)


@commands.command()
@of_a_company
def history(flow: FlowName, id_: AnyId, as_json: AsJson = False) -> None:
    """Tell what happened to one record, oldest first: links, edits, every value written, conflicts, refusals."""
    from talk_pipeline.cli.records import print_history

    print_history(flow, id_, as_json=as_json)


@commands.command()
@of_a_company
def link(
    flow: FlowName,
    shop_id: ShopId,
    bc_id: BcId,
    lead: Annotated[
        bool,
        typer.Option("--lead", help="Take the place of the one that is linked with it, which is attached."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Link two records by hand, whatever the match rules say; the next sync treats it as a first meeting.

    Where another one is linked with BC_ID and the flow lets several share it, the first is attached.
    """
    from talk_pipeline.cli import byhand

    byhand.link(flow, shop_id, bc_id, lead=lead, as_json=as_json)


@commands.command()
@of_a_company
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

    byhand.unlink(flow, shop_id, bc_id, never=never, recreate=recreate, as_json=as_json)


@commands.command()
@of_a_company
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

    byhand.resolve(flow, id_, prop, take=take.value, as_json=as_json)


@commands.command()
@of_a_company
def acknowledge(
    flow: Annotated[
        str | None, typer.Argument(metavar="[FLOW]", help="Only of this flow; by default of all.")
    ] = None,
    id_: Annotated[str | None, typer.Argument(metavar="[ID]", help="Only of this record.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what was recorded from then on, in UTC.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what was recorded up to then, in UTC.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say that conflicts were seen, and what restored systems lost; shown until then. Without a FLOW: --until.

    It is noted who said so and when. What lost is kept all the same: `history` and `explain` tell of it.
    """
    from talk_pipeline.cli.conflicts import acknowledge as acknowledge_them

    acknowledge_them(flow, id_, since=since, until=until, as_json=as_json)


@commands.command()
@of_a_company
def retry(
    flow: FlowName,
    id_: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only this record; by default all of the flow.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let the next sync try again what a system refused, or what the two keep storing differently.

    A record that is held since it would not come to its total is let go as it is, where it is named.
    """
    from talk_pipeline.cli import byhand

    byhand.retry(flow, id_, as_json=as_json)


@commands.command()
@of_a_company
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

    forget_one(flow, id_, with_orders=with_orders, as_json=as_json)

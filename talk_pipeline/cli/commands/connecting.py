"""The two systems: described, proven, tried, listened to; and the documents that say what goes between them."""

from pathlib import Path
from typing import Annotated

import typer

from talk_pipeline.cli.company import of_a_company, of_each_company
from talk_pipeline.cli.terminal import say

commands = typer.Typer()


@commands.command("check-config")
@of_each_company
def check_config(
    files_only: Annotated[
        bool, typer.Option("--files-only", help="Check the files, and ask no system.")
    ] = False,
) -> None:
    """Check the flow and connector files, and prove them against the two systems."""
    from talk_pipeline.cli.configuration import check_configuration

    raise typer.Exit(check_configuration(files_only=files_only))


@commands.command("new-connector")
def new_connector(
    name: Annotated[str, typer.Argument(help="What to call it: writes NAME.yaml.")],
    database: Annotated[
        bool, typer.Option("--database", help="Of a shop whose door is its database, and no API.")
    ] = False,
    files: Annotated[
        bool, typer.Option("--files", help="Of a shop whose door is a folder of files, and no API.")
    ] = False,
) -> None:
    """Write a commented description of a shop's API to start from."""
    from talk_pipeline.cli.connectors import OF_A_DATABASE, OF_FILES, TEMPLATE
    from talk_pipeline.cli.connectors import new_connector as write

    if database and files:
        raise typer.BadParameter("a shop has one door: say --database or --files")
    file = write(name, template=OF_A_DATABASE if database else OF_FILES if files else TEMPLATE)
    say(f"{file} is written: set CUSTOMWEBSHOP_CONNECTOR={file}, edit it, run check-config")


@commands.command("new-entity")
@of_a_company
def new_entity(
    name: Annotated[str, typer.Argument(help="The entity set, such as contacts: writes NAME.yaml.")],
    api: Annotated[
        str, typer.Option(metavar="API", help="publisher/group/version of a page beside v2.0.")
    ] = "v2.0",
    called: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="What flows are to call it instead.")
    ] = None,
) -> None:
    """Describe an entity set of Business Central as its $metadata declares it: types, lengths, key, what is below.

    Writes into BUSINESSCENTRAL_ENTITIES_DIR, or into the folder entities as long as that is not set. A file there
    counts instead of a packaged description of the same name.
    """
    from talk_pipeline.cli.entities import new_entity as write

    write(name, api=api, called=called)


DocumentFile = Annotated[Path, typer.Argument(metavar="FILE", help="A data-flow document (*.rst).")]


@commands.command("import-doc")
def import_doc(
    file: DocumentFile,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the flow files and import-report.md.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in DIR.")] = False,
) -> None:
    """Write the flow files that follow from a data-flow document, and a report of what a person must decide.

    Names are taken only where they are certain; every section and row is in a flow file or in the report. Neither
    system is asked: check-config, with TALK_FLOWS_DIR set to DIR, proves the files against them.
    """
    from talk_pipeline.cli.dataflows import import_document

    import_document(file, out, overwrite=overwrite)


@commands.command("check-doc")
@of_a_company
def check_doc(file: DocumentFile) -> None:
    """Compare a data-flow document with the flows in use; the exit status is 0 only when they cover all of it."""
    from talk_pipeline.cli.dataflows import check_document

    raise typer.Exit(check_document(file))


@commands.command()
def sandbox(
    port_shop: Annotated[
        int, typer.Option(min=0, max=65535, help="The shop's port; 0 takes a free one.")
    ] = 0,
    port_bc: Annotated[
        int, typer.Option(min=0, max=65535, help="Business Central's port; 0 takes a free one.")
    ] = 0,
    state: Annotated[Path | None, typer.Option(help="File in which both keep their records.")] = None,
    size: Annotated[
        int | None, typer.Option(help="N customers, N products, 2N orders, generated; 0: none.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the generator.")] = 0,
    currency: Annotated[str, typer.Option(help="Local currency of Business Central.")] = "DKK",
    shop_profile: Annotated[str, typer.Option(help="Its wire shape; a wrong one lists them.")] = "reference",
    applications: Annotated[int, typer.Option(min=1, max=10, help="How many enter Business Central.")] = 1,
) -> None:
    """Serve both systems on this machine until stopped, and print the environment that points at them."""
    from talk_pipeline.cli.sandboxing import serve_sandbox

    serve_sandbox(
        state=state,
        size=size,
        seed=seed,
        currency=currency,
        port_shop=port_shop,
        port_bc=port_bc,
        shop_profile=shop_profile,
        applications=applications,
    )


@commands.command()
@of_a_company
def webhooks(
    url: Annotated[str, typer.Option(help="How the two systems reach this server from outside.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8080,
) -> None:
    """Receive change notices until stopped; they wake the sensors."""
    from talk_pipeline.installation import Connections
    from talk_pipeline.settings import Settings
    from talk_pipeline.webhooks.receiver import serve

    serve(Connections(Settings.load()), url=url, host=host, port=port)

"""Arguments and options that several commands have."""

from enum import StrEnum
from typing import Annotated

import typer


class Taken(StrEnum):
    """A system, by name."""

    CUSTOMWEBSHOP = "customwebshop"
    BUSINESSCENTRAL = "businesscentral"


FlowName = Annotated[str, typer.Argument(metavar="FLOW", help="The flow's name.")]
AnyId = Annotated[str, typer.Argument(metavar="ID", help="A shop id, a Business Central id, or a key.")]
ShopId = Annotated[str, typer.Argument(metavar="SHOP_ID", help="The shop record, by its id or a key.")]
BcId = Annotated[str, typer.Argument(metavar="BC_ID", help="The Business Central record, by id or key.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

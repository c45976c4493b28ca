"""What Business Central changes by itself when it is written to, as a flow declares it. No other module knows.

Some properties are set anew from another one unless they go along in the same request (`send_with`), writing a
child works out properties of its record, and some changes make it throw the children away and make new ones
(`recreates`). What it worked out is nobody's edit: what the shop says of it goes again.

What a flow declares so is from the API pages of the entities, and from the source behind them in microsoft/BCApps:
`SalesHeader.Table.al` makes the lines anew when the customer changes, `SalesLinePrice.Codeunit.al` looks up the
price again when the quantity does, `GraphMgtSalesOrderBuffer.Codeunit.al` spreads the order's discount.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from talk_pipeline.engine.model import SEND_WITH, Intent, Sent
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part


class Where(StrEnum):
    """Whose property follows from a write."""

    ITSELF = "itself"
    PARENT = "parent"
    CHILDREN = "children"


@dataclass(frozen=True, slots=True)
class Rule:
    """One property that follows from another.

    Attributes:
        part: of what is written.
        property: the property written, None for any write of the part.
        follows_part: of what follows.
        follows: the property that follows.
        where: whose it is.
    """

    part: str
    property: str | None
    follows_part: str
    follows: str
    where: Where


def rules(flow: Flow) -> Iterator[Rule]:
    """Everything that follows from something else in a flow."""
    for part in flow.parts:
        for prop in part.properties:
            for other in prop.send_with:
                yield Rule(part.name, prop.name, part.name, other, Where.ITSELF)
            for key in prop.recreates:
                child = flow.part(f"{flow.name}.{key}")
                for one in child.properties:
                    if one.two_way:
                        yield Rule(part.name, prop.name, child.name, one.name, Where.CHILDREN)
        if part.parent:
            for other in part.send_with:
                yield Rule(part.name, None, part.parent, other, Where.PARENT)


def sent_along(part: Part, names: Iterable[str]) -> set[str]:
    """What goes along in the same request with these properties, so that it stays as it is."""
    return {other for name in names for other in part.by_name[name].send_with}


def moves_parent(part: Part) -> bool:
    """Whether writing a child works out anything of its record."""
    return bool(part.send_with)


def makes_children_anew(part: Part, names: Iterable[str]) -> bool:
    """Whether a change of these properties makes the record's children other ones."""
    return any(part.by_name[name].recreates for name in names)


def worked_out(part: Part, sent: Mapping[str, Sent], *, unheeded: Iterable[str], side: Side) -> set[str]:
    """What a receiver may have worked out anew from what it took of a request, beside what it kept as it was."""
    if side is Side.SHOP:
        return set()
    unheeded = set(unheeded)
    return sent_along(
        part, (name for name, one in sent.items() if one.rule != SEND_WITH and name not in unheeded)
    )


def affected(flow: Flow, intent: Intent) -> Iterator[tuple[str, str | None, str]]:
    """Part, shop id (none: all children) and property that a request makes Business Central work out anew."""
    main = intent.main
    if intent.target is Side.SHOP or (main.operation == "create" and main.part == flow.name):
        return
    says = main.sent if main.operation != "delete" else {}
    written = {name for name, one in says.items() if one.rule != SEND_WITH}
    whose = {Where.ITSELF: main.shop_id, Where.PARENT: intent.root_shop_id, Where.CHILDREN: None}
    for rule in rules(flow):
        if rule.part == main.part and (rule.property is None or rule.property in written):
            yield rule.follows_part, whose[rule.where], rule.follows

"""What a tester does by hand to see for himself, and what must come of it, from the declaration."""

from collections.abc import Iterator

from talk_pipeline.cli.document.names import BC, SHOP, condition, end, listed, system
from talk_pipeline.cli.document.rules import conflict_winner
from talk_pipeline.cli.document.tree import Step
from talk_pipeline.flows.properties import Side
from talk_pipeline.flows.vocabulary import Flow, Part


def steps(flow: Flow, part: Part) -> tuple[Step, ...]:
    """The steps of a section, each followed by a run."""
    return tuple(_steps(flow, part))


def _steps(flow: Flow, part: Part) -> Iterator[Step]:
    ends = {side: end(flow, part, side) for side in Side}
    shop, bc = ends[Side.SHOP], ends[Side.BC]
    yield from _creating(flow, part, shop, bc)
    for side in Side:
        if names := [prop.shop or prop.name for prop in part.properties if prop.goes_to(side.other)]:
            yield Step(
                f"In {system(side)}, edit each of these on a linked {ends[side]}: {listed(names)}.",
                f"{system(side.other)} holds the new value of each, and nothing else changed.",
            )
    if two_way := [prop for prop in part.properties if prop.two_way]:
        name = two_way[-1].name
        yield Step(
            f"Edit {name} on both sides, to two different values, before the next run.",
            f"{conflict_winner(flow.policy(two_way[-1]))}; the conflict is listed with both values.",
        )
    if once := [prop.bc for prop in part.properties if prop.only]:
        yield Step(f"In {BC}, edit {listed(once)} of a linked {bc}.", f"{SHOP} stays as it is.")
    if flow.guard and (flow.guard.withholds_lines if part.parent else flow.guard.withholds):
        withheld = flow.guard.withholds_lines if part.parent else flow.guard.withholds
        yield Step(
            f"Give {flow.guard.bc} of the {end(flow, flow.root, Side.BC)} another value than"
            f" {listed(flow.guard.open_while, last='or')}, and edit {withheld[0]} in {SHOP}.",
            f"{BC} stays as it is; the change is listed as withheld: {flow.guard.reason}.",
        )
    if part.parent:
        for side in Side:
            yield Step(
                f"In {system(side)}, add a {ends[side]} and remove another.",
                f"{system(side.other)} has the new one, and the other is gone there too.",
            )
    yield Step("Run once more without any edit.", "Nothing is written on either side.")


def _creating(flow: Flow, part: Part, shop: str, bc: str) -> Iterator[Step]:
    if part.parent:
        return
    settings = flow.settings
    if settings.create in ("always", "both"):
        asked = [
            condition(part.by_name[name].shop_paths[0], one)
            for name, one in {**settings.scope, **settings.create_scope}.items()
        ]
        whose = f" whose {listed(asked)}" if asked else ""
        yield Step(
            f"In {SHOP}, make a new {shop}{whose}, with a value for each of its properties.",
            f"{BC} has exactly one {bc} for it, with the values of the table.",
        )
        if asked:
            yield Step(
                f"In {SHOP}, make a new {shop} that is otherwise.",
                f"{BC} has none for it; it is listed as excluded, with the reason.",
            )
    if settings.create == "both":
        yield Step(f"In {BC}, make a new {bc}.", f"{SHOP} has exactly one {shop} for it.")
    match = flow.root.by_name[flow.match[0]] if flow.match else None
    if match:
        yield Step(
            f"Make a {shop} and a {bc} of the same {match.name}, both new, before the next run.",
            "The two are linked, and no third one is made.",
        )

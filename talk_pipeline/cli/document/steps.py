"""What a tester does by hand to see for himself, and what must come of it, from the declaration."""

from collections.abc import Iterator

from talk_pipeline.cli.document.names import BC, SHOP, called, condition, end, listed, system, withheld
from talk_pipeline.cli.document.rules import conflict_winner
from talk_pipeline.cli.document.tree import Step
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part


def steps(flow: Flow, part: Part) -> tuple[Step, ...]:
    """The steps of a section, each followed by a run."""
    return tuple(_steps(flow, part))


def _steps(flow: Flow, part: Part) -> Iterator[Step]:
    ends = {side: end(flow, part, side) for side in Side}
    shop, bc = ends[Side.SHOP], ends[Side.BC]
    yield from _creating(flow, part, shop, bc)
    for side, directions in ((Side.SHOP, ("<->", "->")), (Side.BC, ("<->",))):
        if names := [called(prop, side) for prop in part.properties if _travels(prop, *directions)]:
            yield Step(
                f"In {system(side)}, edit each of these on a linked {ends[side]}: {listed(names)}.",
                f"{system(side.other)} holds the new value of each, and nothing else changed.",
            )
    if names := [called(prop, Side.BC) for prop in part.properties if _travels(prop, "<-")]:
        yield Step(
            f"In {BC}, have these change on a linked {bc}, as far as they ever do: {listed(names)}.",
            f"{SHOP} shows the new value of each.",
        )
    if disputed := next((prop for prop in part.properties if _has_many_values(prop)), None):
        yield Step(
            f"Before the next run, edit one property of a linked pair on both sides, to two different values:"
            f" {called(disputed)} in {SHOP}, {called(disputed, Side.BC)} in {BC}.",
            f"{conflict_winner(flow.policy(disputed))}; the conflict is listed with both values.",
        )
    if once := [prop.bc for prop in part.properties if prop.only]:
        yield Step(f"In {BC}, edit {listed(once)} of a linked {bc}.", f"{SHOP} stays as it is.")
    if flow.guard and (names := withheld(flow, part)):
        yield Step(
            f"Give {flow.guard.bc} of the {end(flow, flow.root, Side.BC)} another value than"
            f" {listed(flow.guard.open_while, last='or')}, and edit {names[0]} in {SHOP}.",
            f"{BC} stays as it is; the change is listed as withheld: {flow.guard.reason}.",
        )
    if part.parent:
        for side in Side:
            yield Step(
                f"In {system(side)}, add a {ends[side]} and remove another.",
                f"{system(side.other)} has the new one, and the other is gone there too.",
            )
    yield Step("Run once more without any edit.", "Nothing is written on either side.")


def _travels(prop: Property, *directions: str) -> bool:
    return prop.dir in directions and prop.only is None and prop.shop is not None


def _has_many_values(prop: Property) -> bool:
    """Whether both sides can be given values that are neither equal nor the one from before."""
    of_choice = prop.type.startswith(("text", "decimal", "money")) and not prop.values
    return prop.two_way and of_choice and prop.shop is not None


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
    if settings.creates(Side.SHOP):
        there = [condition(name, one) for name, one in settings.create_scope_businesscentral.items()]
        whose = f" whose {listed(there)}" if there else ""
        yield Step(f"In {BC}, make a new {bc}{whose}.", f"{SHOP} has exactly one {shop} for it.")
        if there:
            yield Step(f"In {BC}, make a new {bc} that is otherwise.", f"{SHOP} has none for it.")
    match = flow.root.by_name[flow.match[0]] if flow.match else None
    if match:
        yield Step(
            f"Make a {shop} and a {bc} of the same {match.name}, both new, before the next run.",
            "The two are linked, and no third one is made.",
        )

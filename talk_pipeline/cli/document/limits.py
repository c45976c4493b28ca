"""Where the declaration limits the two sentences of a section: who is synchronized, and what stays in step."""

from collections.abc import Iterator

from talk_pipeline.cli.document.names import BC, SHOP, belonging, called, condition, end, listed, withheld
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline.wording import counted


def every(flow: Flow, part: Part) -> str:
    """The sentence that says who is synchronized."""
    shop, bc = end(flow, part, Side.SHOP), end(flow, part, Side.BC)
    if flow.settings.create == "businesscentral":
        return f"Every {bc} will be synchronized with a {shop}."
    if flow.settings.create in ("always", "both"):
        return f"Every {shop} will be synchronized with a {bc}."
    return (
        f"Before any synchronization can take place, a link between a {shop} and a {bc} must be established."
    )


def every_limits(flows: Flows, flow: Flow, part: Part) -> Iterator[str]:
    """What limits it."""
    shop, bc = end(flow, part, Side.SHOP), end(flow, part, Side.BC)
    if part.parent:
        parent = end(flow, flow.root, Side.SHOP)
        yield f"This holds for each {shop} of a {parent} that is synchronized, and goes along with it."
    if part.scope:
        fields = listed(belonging(part))
        yield f"Only a {bc} with {fields} takes part: any other is never matched and never written."
    if part.parent:
        return
    settings = flow.settings
    for name, asked in settings.scope.items():
        path = part.by_name[name].shop_paths[0]
        yield f"Only a {shop} takes part whose {condition(path, asked)}; the link of another one rests."
    if settings.create_scope:
        asked_of = listed(condition(name, asked) for name, asked in settings.create_scope.items())
        yield f"A {shop} without a counterpart gets a new {bc} only while its {asked_of}."
    if settings.create == "when_referenced":
        names = [
            end(other, one, Side.SHOP)
            for other in flows.values()
            for one in other.parts
            if any(prop.refers_to == flow.name for prop in one.references)
        ]
        yield (
            f"A new {bc} will be created from a {shop} if it is connected to a {listed(names, last='or')}"
            f" that is synchronized into {BC}."
        )
    if settings.create == "never":
        yield "Nothing is created on either side: links are made by the rules below, or by hand."
    if settings.creates(Side.SHOP):
        there = [condition(name, one) for name, one in settings.create_scope_businesscentral.items()]
        likewise = " likewise" if settings.creates(Side.BC) else ""
        only = f", only while its {listed(there)}" if there else likewise
        yield f"A {bc} without a counterpart gets a new {shop}{only}."
    else:
        yield f"A {bc} without a counterpart is left alone: none is created in {SHOP} for it."


def in_step(flow: Flow, part: Part) -> str:
    """The sentence that says what stays in step."""
    shop, bc = end(flow, part, Side.SHOP), end(flow, part, Side.BC)
    return (
        f"Once a link between a {shop} and a {bc} is established, it will keep in sync between the two systems,"
        " regardless of where it is edited."
    )


def in_step_limits(flow: Flow, part: Part) -> Iterator[str]:
    """What limits it."""
    bc = end(flow, part, Side.BC)
    props = [prop for prop in part.properties if prop.mapped]
    if once := [prop for prop in props if prop.only and prop.dir != "<-"]:
        yield f"Sent with a new {bc} and never after: {_names(once)}."
    if back := [prop for prop in props if prop.only and prop.dir == "<-"]:
        yield f"Sent with a new {end(flow, part, Side.SHOP)} and never after: {_names(back)}."
    if to_bc := [prop for prop in props if prop.dir == "->" and not prop.only]:
        yield f"Edits travel to {BC} only: {_names(to_bc)}. What is edited there stays until {SHOP} says more."
    if to_shop := [prop for prop in props if prop.dir == "<-" and not prop.only]:
        yield f"Edits travel to {SHOP} only: {_names(to_shop)}. What is edited there stays until {BC} says more."
    if compared := [prop for prop in props if prop.dir == "="]:
        tolerance = flow.settings.tolerance
        beyond = f"differ by more than {tolerance:g}" if tolerance else "differ"
        yield f"Compared and never written: {_names(compared)}. Where they {beyond}, it is a warning."
        yield from _reckoned(flow, compared)
    yield from _guarded(flow, part)
    for prop in props:
        yield from _of_property(flow, prop)
    if part.parent:
        parent = end(flow, flow.root, Side.SHOP)
        yield f"The sequence of what is in a {parent} is not synchronized after its creation."
    elif flow.settings.quiet_seconds:
        rest = counted(flow.settings.quiet_seconds, "second")
        yield f"An edit travels once nobody has edited the record for {rest}."


def _reckoned(flow: Flow, compared: list[Property]) -> Iterator[str]:
    """What of them is known before a record is there, and what follows."""
    known = [prop for prop in compared if prop.composed_of]
    if not known:
        return
    bc = end(flow, flow.root, Side.BC)
    whens = [
        f"{called(prop)} while {listed(f'{name} is {word}' for name, word in prop.composed_of.known_while.items())}"
        if prop.composed_of and prop.composed_of.known_while
        else called(prop)
        for prop in known
    ]
    yield f"What a new {bc} will come to is reckoned before it is there: {listed(whens)}."
    if flow.settings.hold_if_totals_differ:
        yield "A record that would differ by more is quarantined instead of being created."


def _guarded(flow: Flow, part: Part) -> Iterator[str]:
    guard = flow.guard
    if guard is None:
        return
    parent = end(flow, flow.root, Side.BC)
    names = withheld(flow, part)
    if not names and not part.parent:
        return
    also = "additions, removals, " if part.parent else ""
    yield (
        f"While {guard.bc} of the {parent} is other than {listed(guard.open_while, last='or')}, these are withheld"
        f" ({guard.reason}): {also}{listed(names)}. Everything else goes through, both ways."
    )


def _of_property(flow: Flow, prop: Property) -> Iterator[str]:
    if prop.keep:
        yield f"{prop.name} is never overwritten in {SHOP} while it is {listed(prop.keep, last='or')} there."
    if prop.shop is None and prop.two_way:
        only = flow.settings.constants[prop.name]
        yield f"A {prop.bc} other than {only} has no place in {SHOP}: it is quarantined."
    if prop.blank_keeps:
        yield f"A blank {prop.name} in {SHOP} leaves {prop.bc} as it is, and counts as in step."
    if prop.blank is not None and not prop.values:
        yield f"A blank {prop.name} in {SHOP} stays blank there, and is {prop.blank} in {BC}."
    if prop.split:
        yield f"What is too long for {prop.bc} goes on in the next of {listed(prop.split)}, split between words."
    if prop.in_currency:
        yield (
            f"{prop.name} travels in the company's own money alone: a record whose {prop.in_currency} is"
            " another one is quarantined."
        )
    if prop.when_all:
        numbers = " = ".join(prop.when_all.equal)
        yield (
            f"{prop.name} becomes {prop.when_all.gives} when {numbers}, above zero,"
            f" on each of the {prop.when_all.children} that take part."
        )
    if prop.when_closed:
        yield f"{prop.name} becomes {prop.when_closed} once the story of the record ended in {BC}."
    if prop.required:
        one = f"One of {listed(prop.shop_paths)}" if len(prop.shop_paths) > 1 else prop.name
        yield f"{one} must be filled: a record without is quarantined."


def _names(props: list[Property]) -> str:
    return listed(map(called, props))

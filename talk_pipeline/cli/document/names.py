"""What systems, flows and child collections are called in the document, from the declarations alone."""

from collections.abc import Iterable, Iterator

from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.tuning import Condition
from talk_pipeline.flows.vocabulary import Flow, Part

SHOP = Side.SHOP.capitalize()
BC = Side.BC.capitalize()


def end(flow: Flow, part: Part, side: Side) -> str:
    """One end of a flow or of a child collection, such as a reader of that system knows it."""
    asset = flow.entity(side).asset
    if part.parent is None:
        name = asset
    elif side is Side.SHOP:
        name = f"{asset}_{part.paths[side]}"
    else:
        name = part.paths[side].lower()
    return f"{side.capitalize()} {name.replace('_', ' ').capitalize()}"


def anchor(part: Part) -> str:
    """What links within the document call a section."""
    return part.name.replace(".", "-").replace("_", "-")


def system(side: Side) -> str:
    """A system's name."""
    return side.capitalize()


def shop_property(flow: Flow, prop: Property) -> str:
    """Where a property lives in the shop; what has no place there is a constant."""
    if prop.shop is None:
        return f"(always {flow.settings.constants.get(prop.name, '')})"
    return ", or ".join(prop.shop_paths)


def called(prop: Property, side: Side = Side.SHOP) -> str:
    """A property as part of a sentence, such as a reader of that system knows it."""
    return " or ".join(prop.paths(side)) or prop.name


def belonging(part: Part, *, verb: str = "", first: bool = False) -> Iterator[str]:
    """What a record of Business Central has that belongs to a part; of alternatives all, or the first."""
    for path, words in part.alternatives.items():
        if words == ("",):
            yield f"{path}{verb} as settings.constants.{part.set_by[path]} says (nothing yet)"
        else:
            yield f"{path}{verb} {words[0] if first else listed(words, last='or')}"


def withheld(flow: Flow, part: Part) -> list[str]:
    """The properties of a part that the guard withholds."""
    guard = flow.guard
    names = (guard.withholds_lines if part.parent else guard.withholds) if guard else ()
    return [name for name in names if name in part.by_name]


def listed(words: Iterable[str], *, last: str = "and") -> str:
    """Words as a sentence lists them."""
    *first, end = list(words) or [""]
    return f"{', '.join(first)} {last} {end}" if first else end


def condition(name: str, asked: Condition) -> str:
    """What a condition asks of a property, as part of a sentence."""
    phrases = [listed(asked.one_of, last="or")] if asked.one_of else []
    phrases += [f"neither {listed(asked.none_of, last='nor')}"] if len(asked.none_of) > 1 else []
    phrases += [f"not {asked.none_of[0]}"] if len(asked.none_of) == 1 else []
    if asked.filled is not None:
        phrases.append("filled" if asked.filled else "blank")
    phrases += [f"at least {asked.at_least}"] if asked.at_least is not None else []
    phrases += [f"at most {asked.at_most}"] if asked.at_most is not None else []
    return f"{name} is {' and '.join(phrases)}"

"""Every key of a flow file, from the models that read it."""

from collections.abc import Iterator
from typing import Any

from talk_pipeline.flows.children import Children
from talk_pipeline.flows.composed import AddedChildren, Addition
from talk_pipeline.flows.endings import ArchivedIn, ClosedBy
from talk_pipeline.flows.properties import ComesTo, Composition, Model, Property, WhenAll
from talk_pipeline.flows.schema import addition_schema, flow_schema
from talk_pipeline.flows.tuning import Breaker, Condition, Limit, Settings
from talk_pipeline.flows.types import TYPES
from talk_pipeline.flows.vocabulary import BcEntity, Flow, Guard, ListedCase, ShopEntity

# where a model stands in a file, in the order in which a reader meets it
PLACES: dict[str, type[Model]] = {
    "a flow file": Flow,
    "`customwebshop`": ShopEntity,
    "`businesscentral`": BcEntity,
    "`businesscentral.closed_by`": ClosedBy,
    "`businesscentral.archived_in`": ArchivedIn,
    "a row of `properties`": Property,
    "`when_all` of a property": WhenAll,
    "`composed_of` of a property": Composition,
    "`children.<name>`": Children,
    "`comes_to` of `children.<name>`": ComesTo,
    "`guard`": Guard,
    "an entry of `flags`": ListedCase,
    "`settings`": Settings,
    "a condition of `settings.scope` and of what is created": Condition,
    "`settings.breaker`": Breaker,
    "a limit of `settings.breaker`": Limit,
    "a file that adds to a flow": Addition,
    "`children.<name>` of a file that adds": AddedChildren,
}

_INTRODUCTION = """# The keys of a flow file

A flow is one YAML file that says everything about it: which records, how they are found to be the same, what
corresponds to what, and what may be tuned. Yes, no, on and off are texts (NO is a country); an unknown key, a key
that stands twice, or a name that points nowhere is refused with file, line and what is allowed. `flow.schema.json`
beside the packaged files tells the same to an editor; this page is made from the code by `make docs`.

What only some companies have need not be put into a flow file: a file beside it, of any other name, adds rows and
collections to it by `adds_to` (`addition.schema.json`). The packaged ones are in
[flows/additions](../talk_pipeline/flows/additions); what they are for is told under
[what else a company has](connect-business-central.md#what-else-a-company-has).
"""


def flow_keys() -> str:
    """The page."""
    return "\n".join([_INTRODUCTION, *_sections(), *_types()])


def _sections() -> Iterator[str]:
    added = addition_schema()
    models = added["$defs"] | flow_schema()["$defs"] | {"Flow": flow_schema(), "Addition": added}
    for place, model in PLACES.items():
        described = models[model.__name__]
        keys = next(
            one for one in (described, *described.get("anyOf", ())) if "properties" in one
        )  # those with a short form have their keys one step deeper
        yield f"## Keys of {place}\n\n{model.__doc__}\n"
        yield "| key | what | allowed | by default |\n|---|---|---|---|"
        for name, key in keys["properties"].items():
            default = "required" if name in keys.get("required", ()) else _default(key)
            yield f"| `{name}` | {_cell(key['description'])} | {_cell(_allowed(key))} | {_cell(default)} |"
        yield ""


def _types() -> Iterator[str]:
    yield "## Types\n\nWhat each compares, checks and carries over is told where it is defined.\n"
    yield "| type | what |\n|---|---|"
    for name, make in TYPES.items():
        kind = type(make(None, None))
        yield f"| `{name}` | {(kind.__doc__ or '').splitlines()[0]} |"
    yield ""


def _default(key: dict[str, Any]) -> str:
    default = key.get("default")
    if default in (None, "", [], {}):
        return ""
    return "see below" if isinstance(default, dict) else f"`{str(default).lower()}`"


def _allowed(key: dict[str, Any]) -> str:
    """The values a key takes, for a person."""
    if "enum" in key:
        return ", ".join(f"`{value}`" for value in key["enum"])
    if "const" in key:
        return f"`{key['const']}`"
    if "$ref" in key:
        name = key["$ref"].rsplit("/", 1)[-1]
        return "`customwebshop`, `businesscentral`" if name == "Side" else "keys"
    if "anyOf" in key:
        return " or ".join(dict.fromkeys(_allowed(one) for one in key["anyOf"] if one.get("type") != "null"))
    match key.get("type"):
        case "array":
            return "list"
        case "object":
            return "keys"
        case "boolean":
            return "`true`, `false`"
        case list():
            return "text"
        case "string":
            return "text"
        case kind:
            return str(kind)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

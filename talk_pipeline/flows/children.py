"""A child collection of a flow, and what it leaves to others; declarations alone."""

from collections.abc import Mapping

from pydantic import Field

from talk_pipeline.flows.properties import ComesTo, Model, Property, Word
from talk_pipeline.flows.scoping import WholeWord


class Children(Model):
    """A child collection with links of its own, such as the lines of an order."""

    customwebshop: str = Field(description="the list in the shop's record")
    businesscentral: str = Field(description="the collection below Business Central's record")
    scope: Mapping[str, WholeWord] = Field(
        {},
        description="Business Central values a child must have to belong, and gets when it is created; others are"
        " left alone; {name} is a constant of the settings, where `a | b` are both, and a new child gets the first",
    )
    leaves: Mapping[str, Mapping[str, tuple[Word, ...]]] = Field(
        {}, max_length=0, description="never written here: what `leaves_as` comes to"
    )
    leaves_as: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$",
        description="leaves to others, though the scope has them, the same as a collection of another flow, such as"
        " `order.lines`, which leaves those that are charges",
    )
    match: str | None = Field(
        None, description="property by which children of a new pair are matched, then by position"
    )
    there_by: str | None = Field(
        None,
        description="property that tells whether there is a child: where it is blank or zero there is none",
    )
    comes_to: ComesTo | None = Field(None, description="what a child adds to a sum (`composed_of`)")
    optional: bool = Field(
        False, description="a shop has it only if its description says so; else a list called as in the flow"
    )
    room: int | None = Field(
        None, exclude=True, ge=1, le=0, description="never written here: how many the shop at hand takes"
    )
    send_with: tuple[str, ...] = Field(
        (), description="properties of the parent that change when a child does; unless said, as described"
    )
    properties: tuple[Property, ...] = Field(description="rows of the child's property table")

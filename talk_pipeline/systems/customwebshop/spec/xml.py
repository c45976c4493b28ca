"""How a description says that a shop speaks XML, and what its elements are where records are told in fields.

An element with others in it is an object of them, one with text alone that text, an empty one nothing, and one that
comes several times a list. What a name is put before, as in `soap:Body`, counts in what is sent only.
"""

from collections.abc import Mapping

from pydantic import Field

from talk_pipeline.flows.properties import Model


class Xml(Model):
    """What the elements alone do not say."""

    lists: tuple[str, ...] = Field(
        (),
        description="elements that are lists, though there be one only: by name, or by way, such as orders.order",
    )
    attributes: bool = Field(
        True, description="they are fields, named @name, beside #text; false: they are left alone"
    )
    order: Mapping[str, tuple[str, ...]] = Field(
        {}, description="element -> names of what is in it, in the order that the shop insists on"
    )
    content_type: str = Field("application/xml", description="what a body is said to be")

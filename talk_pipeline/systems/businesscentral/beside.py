"""A record that another one names, as it is described: where it is shown, and how it is found."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from talk_pipeline.flows.mistakes import Located
from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.systems.businesscentral.values import CALLED, Kind, unescaped

Type = Annotated[
    Kind,
    PlainValidator(Kind.written),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": rf"^({'|'.join(CALLED)})(\(\d+\))?( read)?$"}),
]


class Beside(Model):
    """A record that another one names, as it is shown beside it: such as the terms of payment of a customer."""

    way: str | None = Field(None, description="its name in `$expand`, where it is another one")
    where: Mapping[str, Word] = Field({}, description="of several that are shown, the one that says so")
    named_by: str | None = Field(
        None, description="the property that names it by its id; without one, what it says is never written"
    )
    set: str | None = Field(
        None, description="the entity set of the same API where it is found by what it says"
    )
    key: str = Field("id", description="its property whose value `named_by` is, such as `systemId`")
    within: Mapping[str, str] = Field(
        {}, description="its property -> the one here that says the same: it is looked for among those alone"
    )
    properties: Mapping[str, Type] = Field(description="what it says -> the type")

    @property
    def selected(self) -> tuple[str, ...]:
        """What is asked for of it."""
        return tuple(dict.fromkeys((*self.where, *self.properties)))

    def shown(self, found: Any) -> Mapping[str, Any]:
        """The record among what was shown; where there is none, one that says nothing."""
        several = found if isinstance(found, list) else [found] if found else []
        return next((one for one in several if self._is_meant(one)), {})

    def _is_meant(self, row: Mapping[str, Any]) -> bool:
        return all(unescaped(str(row.get(name, ""))) == word for name, word in self.where.items())

    def problems(self, properties: Mapping[str, Kind]) -> Located:
        """What the model alone cannot see, as (key path, message), beside these properties."""
        if (self.named_by is None) != (self.set is None):
            yield ("named_by",), "named_by and set go together: what names it, and where it is found"
        for name in (*filter(None, (self.named_by,)), *self.within.values()):
            if name not in properties:
                yield ("named_by",), f"there is no property {name!r}; allowed: {', '.join(properties)}"

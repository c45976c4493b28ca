"""What tells records and entries of lists apart: a value as it is, or what is special in an address of each."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from talk_pipeline.flows.properties import Model
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.paths import MISSING, Json, JsonOrMissing
from talk_pipeline.systems.customwebshop.spec.places import Path
from talk_pipeline.systems.customwebshop.spec.templates import SHOP, within


class Id(Model):
    """Where an id is; a text alone is its path."""

    path: Path = Field("id", description="where it is")
    template: str | None = Field(
        None, description="text around it, with {} for it, and {shop} for the shop's address"
    )
    type: Literal["text", "number"] = Field(
        "text", description="number: said as one where it stands alone, though no record at hand says it so"
    )

    def __str__(self) -> str:
        return f"{self.path!r} like {self.template}" if self.template else repr(self.path)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.template is not None and self.template.count("{}") != 1:
            raise ValueError("template has one {} where the id stands")
        if self.template is not None and self.type == "number":
            raise ValueError("an id within a text is no number: leave type out, or template")
        return self

    def at_home(self, address: str) -> Self:
        """The same with the shop's address where its template names it."""
        return self.but(template=self.template.replace(SHOP, address)) if self.template else self

    def read(self, data: JsonOrMissing) -> str | None:
        """The id of a record; None where there is none, or none of that form."""
        return self.told(paths.text_of(paths.get(data, self.path)))

    def told(self, text: str | None) -> str | None:
        """The id in what the shop says."""
        return within(self.template, text) if text and self.template else text

    def wire(self, known: str) -> Json:
        """The same as the shop says it."""
        if self.template:
            return self.template.replace("{}", known)
        return int(known) if self.type == "number" and known.isdecimal() else known

    def own(self, known: str, record: Json) -> Json:
        """The same as the record itself says it, which may be a number; without a record, as on the wire."""
        own = paths.get(record, self.path)
        return self.wire(known) if own is MISSING else own


def _in_full(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


AnyId = Annotated[
    Id,
    BeforeValidator(_in_full),
    WithJsonSchema({"anyOf": [{"type": "string"}, Id.model_json_schema()]}, mode="validation"),
]
"""An id as a description may say it: a path, or more."""

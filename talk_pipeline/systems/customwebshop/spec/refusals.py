"""How a description says what a refusal looks like."""

from pydantic import Field

from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.systems.customwebshop.spec.places import Path


class ErrorShape(Model):
    """Where an error says what is wrong."""

    each: Path | None = Field(
        None, description="list of all that is wrong, in whose entries code, message and field are places"
    )
    code: Path | None = None
    message: Path | None = None
    field: Path | None = None
    parameters: Path = Field(
        "parameters",
        description="values of the names that a message has places for, such as %field or {field}",
    )
    shown_by: Path | None = Field(
        None,
        description="path that is false or filled in a refusal with status 200; true alone says that all is well",
    )
    unless: tuple[Word, ...] = Field(
        (),
        description="what stands at shown_by when all is well, such as ok; true does not say so then",
    )
    later: tuple[Word, ...] = Field(
        (), description="codes that say: not now; what is refused so is tried again"
    )
    refused: tuple[Word, ...] = Field(
        (), description="codes that say no, where the status would leave it open: 500, as with SOAP, or 403"
    )
    missing: tuple[Word, ...] = Field((), description="codes that say there is no such record, beside 404")

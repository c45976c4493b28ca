"""The vocabulary of a shop description, as frozen models validated on load."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from talk_pipeline.flows.loading import read_yaml, validated
from talk_pipeline.flows.properties import Model

REFERENCE = Path(__file__).parent / "reference.yaml"


class Paging(Model):
    """Paging by a cursor: the answer holds the next one, until it is null."""

    parameter: str
    next: str
    size_parameter: str
    size: int = Field(ge=1)


class Version(Model):
    """Where a record's version is, and the header that makes a write conditional on it."""

    header: str
    condition: str


class Deleted(Model):
    """How deletions show: a parameter that lists them, and the field that tells them."""

    parameter: str
    field: str


class Count(Model):
    """The cheap question: a path below the collection, and where its answer has the latest change."""

    path: str
    latest: str


class ErrorShape(Model):
    """Where an error says what is wrong."""

    code: str
    message: str
    field: str


class Wire(Model):
    """Which fields are not text on the wire."""

    booleans: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


class ChildEntity(Wire):
    """A list within a record, written as a whole and matched by id."""

    id: str = "id"


class Entity(Wire):
    """One collection of the shop."""

    path: str
    children: Mapping[str, ChildEntity] = {}


class Webhooks(Model):
    """Where webhooks are registered, which event tells about which entity, and how deliveries are signed."""

    path: str
    records: str
    events: Mapping[str, str]
    event: str
    signature_header: str
    signature_prefix: str = ""


class Description(Model):
    """A shop's REST API."""

    name: str
    base_path: str = ""
    paging: Paging
    records: str
    updated_since: str
    id: str = "id"
    modified: str
    version: Version
    deleted: Deleted
    count: Count
    update: Literal["PATCH"] = "PATCH"
    idempotency_header: str
    error: ErrorShape
    in_flight: int = Field(8, ge=1)
    requests_per_minute: int = Field(6000, ge=1)
    webhooks: Webhooks | None = None
    entities: Mapping[str, Entity]


def load_description(file: Path | None = None) -> Description:
    """A description file, by default that of the reference API.

    Raises:
        FlowError: with file, line, key and what is allowed, a line for each mistake.
    """
    file = file or REFERENCE
    data, tree = read_yaml(file)
    return validated(Description, data, file=file, tree=tree)

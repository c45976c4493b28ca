"""How a description says where the shop tells of changes; what is done with it is in `notifications`."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.systems.customwebshop.spec.places import Path, Place


class Signature(Model):
    """HMAC-SHA256 of a delivery's body."""

    header: str
    prefix: str = ""
    encoding: Literal["hex", "base64"] = "hex"


class Webhooks(Model):
    """Where webhooks are registered, which event tells about which entity, and how deliveries are signed."""

    path: str
    query: Mapping[str, Word] = Field({}, description="parameters of the list of registrations")
    records: Path | None = None
    url: Path = "url"
    body: Mapping[str, Any] = Field(
        description="what is registered; may say {url}, {secret}, {event}, {events}"
    )
    one_each: bool = Field(False, description="each event is registered by itself, told apart by {event}")
    event: Place = Field(description="where a delivery names its event: a path in it, or header:NAME")
    events: Mapping[str, str] = Field(description="event -> entity")
    signature: Signature

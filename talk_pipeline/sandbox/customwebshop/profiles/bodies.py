"""What the bodies and queries of calls hold, whatever the wire shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.customwebshop.errors import JSON, ShopError, malformed
from talk_pipeline.sandbox.exchange import Answer, Call

_MERGE = ("application/json", "application/merge-patch+json")


def document_of(call: Call, media_types: tuple[str, ...] = _MERGE) -> Mapping[str, Any]:
    """The JSON object in the body.

    Raises:
        ShopError: if there is none, or it is not sent as JSON.
    """
    document = content_of(call, media_types)
    if not isinstance(document, Mapping):
        raise malformed("The body is not a JSON object.")
    return document


def content_of(call: Call, media_types: tuple[str, ...] = _MERGE) -> Any:
    """The JSON in the body."""
    media = (call.header("content-type") or "").split(";")[0].strip().lower()
    if media not in media_types:
        raise ShopError(415, "unsupported_media_type", "The body is application/json.")
    try:
        return call.json()
    except wire.MalformedJson as error:
        raise malformed("The body is not valid JSON.") from error


def query_of(call: Call) -> dict[str, str]:
    """The parameters of the call; of several with one name, the last."""
    return dict(parse_qsl(call.query, keep_blank_values=True))


def json_answer(
    status: int, document: Any, *, headers: Mapping[str, str] | None = None, writes: tuple[Any, ...] = ()
) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, wire.write(document), {**JSON, **(headers or {})}, writes)

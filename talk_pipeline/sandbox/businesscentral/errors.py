"""The refusals of the service: a status, a code and a text in one envelope.

Callers branch on status and code; the texts are the sandbox's own words.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.exchange import Answer

CONTENT_TYPE = "application/json; odata.metadata=minimal"


class ApiError(Exception):
    """A refusal on its way to the caller."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def answer(self) -> Answer:
        """The envelope; every answer carries a correlation id of its own."""
        text = f"{self.message}  CorrelationId:  {uuid.uuid4()}."
        body = wire.write({"error": {"code": self.code, "message": text}})
        headers = {"Content-Type": CONTENT_TYPE, "OData-Version": "4.0", **self.headers}
        return Answer(self.status, body, headers)


def bad_request(message: str) -> ApiError:
    """The body or one of its values cannot be understood."""
    return ApiError(400, "BadRequest", message)


def bad_query(message: str) -> ApiError:
    """The query or a key cannot be understood, or names a property that is not there."""
    return ApiError(400, "BadRequest_NotFound", message)


def no_segment(name: str) -> ApiError:
    """The address names something the service does not have."""
    return ApiError(404, "BadRequest_ResourceNotFound", f"No HTTP resource was found for '{name}'.")


def not_implemented(message: str) -> ApiError:
    """The service does not do this."""
    return ApiError(501, "BadRequest_MethodNotImplemented", message)


def not_allowed(method: str, name: str) -> ApiError:
    """The set does not take this method."""
    return ApiError(405, "BadRequest_MethodNotAllowed", f"'{name}' does not support {method}.")


def bad_token(message: str) -> ApiError:
    """If-Match is missing or malformed."""
    return ApiError(400, "BadRequest_InvalidToken", message)


def changed() -> ApiError:
    """The entity tag is outdated."""
    return ApiError(409, "Request_EntityChanged", "Another user has changed this record; read it again.")


def dialog(message: str) -> ApiError:
    """A business rule says no."""
    return ApiError(400, "Application_DialogException", message)


def field_rule(message: str) -> ApiError:
    """A field must, or must not, hold a certain value."""
    return ApiError(400, "Application_FieldValidationException", message)


def too_long(name: str, *, actual: int, maximum: int) -> ApiError:
    """The text does not fit the field."""
    return ApiError(
        400,
        "Application_StringExceededLength",
        f"The length of {name} is {actual}, but it must be less than or equal to {maximum} characters.",
    )


def no_relation(name: str, value: str, target: str) -> ApiError:
    """A code is not in the table its field refers to."""
    return ApiError(
        400,
        "Internal_InvalidTableRelation",
        f"The field {name} contains a value ({value}) that cannot be found in the related table {target}.",
    )


def read_only(name: str) -> ApiError:
    """The property cannot be written."""
    return ApiError(400, "BadRequest_InvalidOperation", f"The property '{name}' is read-only.")


def required(name: str) -> ApiError:
    """A key or not-blank field was left blank."""
    return ApiError(400, "BadRequest_RequiredParamNotProvided", f"'{name}' must be filled in.")

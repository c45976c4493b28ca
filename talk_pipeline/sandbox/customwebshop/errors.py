"""The refusals of the shop: ``{"error": {"code", "message", "field"}}``."""

from __future__ import annotations

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.exchange import Answer

JSON = {"content-type": "application/json"}


class ShopError(Exception):
    """A refusal on its way to the caller."""

    def __init__(self, status: int, code: str, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field

    def answer(self) -> Answer:
        """The refusal as an answer."""
        error = {"code": self.code, "message": self.message, "field": self.field}
        return Answer(self.status, wire.write({"error": error}), JSON)


def malformed(message: str, *, field: str | None = None) -> ShopError:
    """The request cannot be understood."""
    return ShopError(400, "malformed", message, field=field)


def invalid(field: str, message: str) -> ShopError:
    """A value the shop does not take."""
    return ShopError(422, "invalid_value", message, field=field)


def no_field(name: str) -> ShopError:
    """A body names a field the entity does not have."""
    return ShopError(422, "unknown_field", f"There is no field {name}.", field=name)


def unknown(what: str, key: str) -> ShopError:
    """There is no such thing."""
    return ShopError(404, "not_found", f"There is no {what} {key}.")

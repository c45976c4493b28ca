"""The refusals of the shop; how they look on the wire is up to its profile."""

from __future__ import annotations

JSON = {"content-type": "application/json"}


class ShopError(Exception):
    """A refusal on its way to the caller."""

    def __init__(self, status: int, code: str, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


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

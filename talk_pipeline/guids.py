"""Ids of Business Central however people write them."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator


def as_told(text: str) -> str:
    """A GUID as Business Central tells it, whatever its case and with or without braces; else the text itself."""
    try:
        return str(UUID(text))
    except ValueError:
        return text


Guid = Annotated[str, AfterValidator(as_told)]

"""JSON in and out without losing a digit.

Amounts never pass through binary floating point: a number with a fraction is read as `Decimal` and written
with exactly the digits it has. What the values mean is each server's business.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_KEEPER = msgspec.json.Encoder(decimal_format="string")


class MalformedJson(ValueError):
    """The text is not JSON."""


def read(text: bytes | str) -> Any:
    """Decode JSON; fractions become `Decimal`."""
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedJson(str(error)) from error


def write(value: Any) -> bytes:
    """Encode JSON; a `Decimal` becomes a number with the digits it has."""
    return _ENCODER.encode(value)


def keep(value: Any) -> bytes:
    """Encode for the state file, where a `Decimal` is text so that reading gives the same one back."""
    return _KEEPER.encode(value)

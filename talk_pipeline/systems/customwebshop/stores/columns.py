"""The values of a database's columns: as JSON has them, and as a column takes them."""

import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.spec.times import Times

_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def kind_of(column: sa.Column[Any]) -> type:
    """What Python has for a column; text for what it has nothing for."""
    if isinstance(column.type, sa.JSON):
        return dict
    try:
        return column.type.python_type
    except NotImplementedError:
        return str


def shown(column: sa.Column[Any], value: Any) -> Json:
    """A value as the driver gives it, as JSON."""
    if value is None or isinstance(value, str | int | Decimal | bool):
        kind = kind_of(column)
        if kind is bool and isinstance(value, int):
            return bool(value)
        return _document(column, value) if kind is dict and isinstance(value, str) else value
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, dict | list):
        return value
    return bytes(value).hex() if isinstance(value, bytes | bytearray | memoryview) else str(value)


def _document(column: sa.Column[Any], value: str) -> Json:
    """What a column of JSON has as a text: those of Postgres are the document itself, others how it is written."""
    if isinstance(column.type, postgresql.JSON):
        return value
    try:
        found: Json = json.loads(value, parse_float=Decimal)
    except ValueError:  # SQLite checks nothing
        return value
    return found


def taken(column: sa.Column[Any], value: Json, *, times: Times, typed: bool) -> Any:
    """A value as a column takes it.

    Args:
        column: which one.
        value: as composed.
        times: how the description says that moments are written.
        typed: whether the database knows types; else it gets what is written.

    Raises:
        ValueError: it does not fit; the text names the column.
    """
    if value is None:
        return None
    kind, text = kind_of(column), paths.text_of(value) or ""
    if kind is dict:
        return value if typed else text
    if kind is bool and text in _TRUTH:
        return _TRUTH[text] if typed else int(_TRUTH[text])
    if not typed:
        return text if kind is not int or not text.lstrip("-").isdigit() else int(text)
    try:
        return _typed(column, kind, text, times)
    except (ValueError, ArithmeticError):
        raise ValueError(f"{column.name} takes no {text!r}: it is {column.type}") from None


def _typed(column: sa.Column[Any], kind: type, text: str, times: Times) -> Any:
    if kind is int:
        number = Decimal(text)
        if number != number.to_integral_value():
            raise ValueError
        return int(number)
    if kind is float:
        return float(text)
    if kind is Decimal:
        return Decimal(text)
    if kind is datetime:
        moment = times.read(text)
        if moment is None:
            raise ValueError
        local = moment.astimezone(times.zone)
        return local if getattr(column.type, "timezone", False) else local.replace(tzinfo=None)
    if kind is date:
        return date.fromisoformat(text[:10])
    if kind is UUID:
        return UUID(text)
    if kind is bytes:
        return bytes.fromhex(text)
    if kind is bool:
        raise ValueError
    return text

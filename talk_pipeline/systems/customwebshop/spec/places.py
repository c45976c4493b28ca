"""A place in an answer: a path in its body, or `header:NAME`."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.paths import MISSING, Json, JsonOrMissing, Missing, PathError

HEADER = "header:"


def _path(text: str) -> str:
    try:
        paths.steps(text)
    except PathError as error:
        raise ValueError(str(error)) from error
    return text


def _place(text: str) -> str:
    return text if text.startswith(HEADER) else _path(text)


Path = Annotated[str, AfterValidator(_path)]
Place = Annotated[str, AfterValidator(_place)]
Said = str | None | Missing
"""What an answer says at a place: that nothing is there is another word than that there is no such place."""


def header_of(place: Place) -> str | None:
    """The header a place names, None for one in the body."""
    return place.removeprefix(HEADER) if place.startswith(HEADER) else None


def said_of(value: JsonOrMissing) -> Said:
    """What is found, as text."""
    return MISSING if value is MISSING else paths.text_of(value)


def read_place(place: Place, headers: Mapping[str, str], data: Json) -> str | None:
    """What an answer says there."""
    header = header_of(place)
    return headers.get(header) if header else paths.text_of(paths.get(data, place))

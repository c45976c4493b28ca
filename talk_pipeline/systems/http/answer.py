"""What came of a request, and how its body went over the line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from talk_pipeline.redaction import redacted

_FRAMES = 300
"""Calls below whoever reads an answer; Python's limit holds for them and for what is nested together."""


def too_deep(body: bytes) -> bool:
    """Whether JSON is nested deeper than it can be read; what is no JSON is not nested."""
    try:
        _read_below(body, _FRAMES)
    except RecursionError:
        return True
    return False


def _read_below(body: bytes, frames: int) -> None:
    if frames:
        _read_below(body, frames - 1)
        return
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError:
        try:
            json.loads(body)  # which takes more for JSON
        except ValueError:
            return


class OutcomeUnknownError(Exception):
    """A request left and no answer came: it may or may not have been carried out."""

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, read to its end; secrets of ours that it repeats are masked.

    Attributes:
        links: addresses of its Link header, by relation.
        seconds: from when the request left until the answer was there.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    links: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300

    @property
    def shows_page(self) -> bool:
        """Whether it is a page for people, whatever content type it says; no data begins like that."""
        return self.body.lstrip()[:1] == b"<"

    def excerpt(self, characters: int) -> str:
        """The beginning of the body, for people."""
        return redacted(self.body.decode(errors="replace"))[:characters]

    @property
    def too_deep(self) -> bool:
        """Whether what it holds is nested deeper than it can be read."""
        return too_deep(self.body)

    @property
    def no_text(self) -> str | None:
        """Why it cannot be read as text; None where it can."""
        try:
            self.body.decode()
        except UnicodeDecodeError as error:
            return f"what is no UTF-8: byte {self.body[error.start]:#04x} at {error.start:,}"
        return None

    @property
    def redirects(self) -> bool:
        """Whether it sends us to another address."""
        return self.status in (301, 302, 303, 307, 308)


class Wire(Protocol):
    """How bodies go over the line, where that is not as JSON."""

    content_type: str

    def understood(self, body: bytes) -> bytes:
        """What was said as JSON; what is not as it should be stays as it is."""

    def told(self, content: bytes) -> bytes:
        """What is sent."""

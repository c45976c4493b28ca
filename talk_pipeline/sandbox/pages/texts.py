"""What a form sends: which texts were typed, and what changed meanwhile.

A form carries the texts it was made with beside those it comes back with. So only what somebody typed is written,
and a change made meanwhile neither undoes it nor is undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.pages.desk import Record, Texts


@dataclass(frozen=True, slots=True)
class Sent:
    """A form that came back.

    Attributes:
        does: the button that was pressed.
        version: the version of the record it was made from.
        seen: the texts it was made with.
        typed: the fields whose text is another one now.
    """

    does: str
    version: str
    seen: Texts = field(default_factory=dict)
    typed: Texts = field(default_factory=dict)

    def meanwhile(self, record: Record) -> dict[str, str]:
        """What others changed since the form was made, in words by field."""
        return {
            name: f"changed meanwhile, from “{_lines(text)}” to “{_lines(record.texts[name])}”"
            for name, text in self.seen.items()
            if name in record.texts and _lines(record.texts[name]) != _lines(text)
        }


async def read_form(request: Request) -> Sent:
    """The form in the body of a request."""
    body = (await request.body()).decode("utf-8", "replace")
    form = dict(parse_qsl(body, keep_blank_values=True))
    seen = _seen(form.get("_seen", "{}"))
    typed = {
        name: _lines(text)
        for name, text in form.items()
        if name in seen and _lines(text) != _lines(seen[name])
    }
    return Sent(does=form.get("_do", ""), version=form.get("_version", ""), seen=seen, typed=typed)


def keep_seen(texts: Texts) -> str:
    """The texts a form is made with, for the form itself to carry."""
    return wire.write(texts).decode()


def _seen(text: str) -> dict[str, str]:
    document = wire.read(text)
    if not isinstance(document, Mapping):
        raise wire.MalformedJson("the form is not one of these pages")
    return {str(name): str(value) for name, value in document.items()}


def _lines(text: str) -> str:
    """Browsers send each end of line as two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n")

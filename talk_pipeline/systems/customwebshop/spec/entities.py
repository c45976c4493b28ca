"""Texts in which a character may stand as an HTML entity, such as `Bolt &amp; Nut`, and the way back.

WordPress and shops made with it keep what some of their users type in this form, and what others type as it is:
both say the same.
"""

import html
import re
from html.entities import html5

# one that ends as it should: what HTML reads leniently, as the &reg of `salt&regular`, is no entity of a shop's
_ENTITY = re.compile(r"&(?:#(?:\d{1,7}|[xX][0-9a-fA-F]{1,6})|(?P<name>[A-Za-z][A-Za-z0-9]{1,31}));")


def decoded(text: str) -> str:
    """The text that is meant; what no entity stands for stays as it is."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def encoded(text: str) -> str:
    """The text as it is read again: itself, unless what it says would be taken for an entity."""
    return text.replace("&", "&amp;") if decoded(text) != text else text


def _character(found: re.Match[str]) -> str:
    name = found["name"]
    return html5.get(f"{name};", found[0]) if name else html.unescape(found[0])

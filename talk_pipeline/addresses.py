"""Addresses of systems, as they are written in settings."""

import re
from urllib.parse import urlsplit


def is_address(text: str) -> bool:
    """Whether something could be reached there."""
    if re.fullmatch(r"https?://[^\s/?#]+[^\s#]*", text) is None or not text.isprintable():
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
        (parts.hostname or "").encode("idna")  # a label that is empty or too long has no form there
    except ValueError:
        return False
    return port != 0

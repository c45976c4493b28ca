"""Secrets as they are sent: what cannot be sent is told before, and what is sent is masked from then on."""

import unicodedata

from pydantic import SecretStr

from talk_pipeline.redaction import learn


class UnusableSecretError(ValueError):
    """A secret holds what cannot be sent; it says what, and never the secret."""


def taken(secret: SecretStr) -> str:
    """A secret as it is sent in a body, an address or encoded."""
    value = secret.get_secret_value()
    learn(value)
    for at, character in enumerate(value, start=1):
        if unicodedata.category(character) == "Cc":
            raise UnusableSecretError(f"character {at} is a {_NAMED.get(character, 'control character')}")
    if value != value.strip():
        raise UnusableSecretError("there is a blank before or after it")
    return value


def sendable(secret: SecretStr) -> str:
    """A secret as it stands in a header."""
    value = taken(secret)
    for at, character in enumerate(value, start=1):
        if not character.isascii():
            raise UnusableSecretError(
                f"character {at} ({unicodedata.name(character, 'unnamed')}) cannot stand in a header"
            )
    return value


def fits_header(text: str) -> bool:
    """Whether what a server gave can stand in a header."""
    return text.isascii() and text.isprintable()


_NAMED = {"\n": "line break", "\r": "line break", "\t": "tab", "\0": "null character"}

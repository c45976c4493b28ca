"""The secrets of this process, and texts without them.

Whoever takes a secret in hand lets it be known here: settings when they are read, credentials when a token was
issued. Whatever a server says is shown, kept and logged without them, in whichever encoding it repeats them.
"""

import base64
import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from html.entities import codepoint2name

MASK = "***"
SHORTEST = 4
"""Shorter ones are no secrets: masking them would make every text unreadable."""
SHORT = 8
"""Shorter ones are masked where they stand as a word of their own."""
UNMISTAKABLE = 16
"""Whatever holds one as long as this can only have it from us."""
TOKENS = 20
"""So many of those that one place gave out are known: a token that so many followed opens nothing any more."""

_BASE64 = "[A-Za-z0-9+/_-]"
_SPELLED = {"\n": (r"\\+n",), "\r": (r"\\+r",), "\t": (r"\\+t",), " ": (r"\+",)}


@dataclass(frozen=True)
class _Secret:
    """One form of a secret, and what stands around it in a text and belongs to it."""

    form: str
    before: str = ""
    after: str = ""

    @cached_property
    def core(self) -> str:
        """Its longest run of letters and digits, which looks the same in every encoding."""
        return max(re.findall(r"[A-Za-z0-9]+", self.form), key=len, default="")

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Made where it is needed: of most forms nothing is ever seen."""
        return re.compile(self.before + _pattern(self.form) + self.after)

    @property
    def unmistakable(self) -> bool:
        """Whoever has it can only have it from us."""
        return len(self.form) >= UNMISTAKABLE


_ENTRY = re.compile(r"(?:\w+:)?(?://)?(?:([^:/?#]*):(?!\d*(?:[/?#]|$))(.*)|([^/?#]*))@")
"""A password may hold what belongs into no address."""

_known: dict[str, _Secret] = {}
_lasting: set[str] = set()
_given_out: dict[str, list[str]] = {}  # tokens by who gave them out to whom, the latest last


def learn(*values: str | None) -> None:
    """From now on these are in no text."""
    for value in filter(None, values):
        _lasting.add(value)
        _know(value)


def learn_token(token: str, *, of: str) -> None:
    """From now on it is in no text, until so many others followed it: a process may be given one every few seconds.

    Args:
        token: what was given out.
        of: who gave it out, and to whom.
    """
    tokens = _given_out.setdefault(of, [])
    if token in tokens:
        tokens.remove(token)
    tokens.append(token)
    _know(token)
    while len(tokens) > TOKENS:
        _forget(tokens.pop(0))


def _know(value: str) -> None:
    for secret in _forms(value) if value not in _known else ():
        if len(secret.form) >= SHORTEST:
            _known.setdefault(secret.form, secret)


def _forget(token: str) -> None:
    if token not in _lasting and not any(token in tokens for tokens in _given_out.values()):
        for secret in _forms(token):
            _known.pop(secret.form, None)


def _forms(value: str) -> Iterator[_Secret]:
    """As it is, in hexadecimal digits, and in base64 of both alphabets, wherever in a text that begins."""
    yield _Secret(value)
    data = value.encode(errors="surrogatepass")
    yield from (_Secret(data.hex()), _Secret(data.hex().upper()))
    for ahead in range(3):
        skipped = (0, 2, 3)[ahead]  # characters that hold bits of what stands before it
        bits = 8 * (ahead + len(data))
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            form = encode(bytes(ahead) + data).decode()[skipped : bits // 6]
            if ahead == 0 or len(form) >= SHORT:
                yield _Secret(form, before=_BASE64 * skipped, after=f"{_BASE64}?={{0,2}}" if bits % 6 else "")


def holds_entry(address: str) -> bool:
    """Whether a user or a password stands before the host of an address; from now on it is in no text."""
    found = _ENTRY.match(address)
    learn(*(found.groups() if found else ()))
    return found is not None


def redacted(text: str) -> str:
    """A text without secrets."""
    for secret in sorted(_known.values(), key=lambda one: -len(one.form)):
        if secret.core in text:
            text = secret.pattern.sub(MASK, text)
    return text


def redacted_body(body: bytes, *, is_error: bool) -> bytes:
    """An answer without secrets; records keep what might be theirs, and lose only what can be but ours.

    Args:
        body: as received.
        is_error: it is an error, made for people.
    """
    for secret in list(_known.values()):
        if (is_error or secret.unmistakable) and secret.core.encode() in body:
            text = body.decode(errors="surrogateescape")
            body = secret.pattern.sub(MASK, text).encode(errors="surrogateescape")
    return body


@contextmanager
def scrubbed() -> Iterator[None]:
    """Exceptions leave without secrets, and so do their causes: whoever runs us keeps them with their chain."""
    try:
        yield
    except BaseException as error:
        scrub(error)
        raise


def scrub(error: BaseException) -> None:
    """Takes the secrets out of an exception and of those it came from."""
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.args = tuple(_without(value) for value in one.args)
        pending += [one.__cause__, one.__context__]
        pending += one.exceptions if isinstance(one, BaseExceptionGroup) else ()


def _without(value: object) -> object:
    if isinstance(value, str):
        return redacted(value)
    return redacted_body(value, is_error=True) if isinstance(value, bytes) else value


def redact_logs() -> None:
    """No record of this process's logs holds a secret, whoever writes it and wherever it goes."""
    make = logging.getLogRecordFactory()
    if getattr(make, "guarded", False):
        return

    def guarded(*args: object, **kwargs: object) -> logging.LogRecord:
        record = make(*args, **kwargs)
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # the handler tells what is wrong with it
            return record
        if (without := redacted(text)) != text:
            record.msg, record.args = without, ()
        if record.exc_info and record.exc_info[0]:
            record.exc_text = redacted("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
        return record

    guarded.guarded = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(guarded)


def _pattern(secret: str) -> str:
    text = "".join(map(encoded, secret))
    if len(secret) < SHORT:
        text = rf"(?<![A-Za-z0-9]){text}(?![A-Za-z0-9])"
    return text


def encoded(character: str) -> str:
    """A pattern of a character as it is, or as JSON, addresses, HTML and Python write it, however often over."""
    if character.isascii() and character.isalnum():
        return character
    code, utf16, utf8 = ord(character), character.encode("utf-16-be"), character.encode()
    units = [utf16[at : at + 2].hex() for at in range(0, len(utf16), 2)]
    forms = [
        r"\\*" + re.escape(character),
        *_SPELLED.get(character, ()),
        "(?i:" + "".join(rf"\\+u{unit}" for unit in units) + ")",
        "(?i:" + "".join(rf"\\+x{byte:02x}" for byte in utf8) + ")",
        "(?i:" + "".join(f"%(?:25)*{byte:02x}" for byte in utf8) + ")",
        f"&#0*{code};|(?i:&#x0*{code:x};)",
    ]
    forms += [f"&{codepoint2name[code]};"] if code in codepoint2name else []
    return f"(?:{'|'.join(forms)})"

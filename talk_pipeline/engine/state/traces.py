"""Words in the files beside the state: logs, events, plans, whatever of them holds what a person said.

Texts are rewritten, and so are the texts in databases of SQLite, which is what Dagster keeps, also those that it
keeps compressed. All else is left and named whatever its bytes are, since what is compressed or in other letters
shows no word: files of DuckDB as well, of which the state is written anew from its tables, and what a restore
replaced is to be deleted.
"""

import os
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from unicodedata import normalize

from talk_pipeline.disks import found_no_room, is_in_use
from talk_pipeline.engine.state.connection import StateBusyError
from talk_pipeline.pieces import put
from talk_pipeline.redaction import encoded

MASK = "(forgotten)"
SHORTEST = 4
"""Shorter words are in every text; there they are looked for between quotes only, as values are told."""
SHORTEST_NUMBER = 7
WAIT_SECONDS = 30.0
_BLANKS = r"(\s+)"
_BLANK = rf"(?:\s|{encoded(' ')}|{encoded(chr(0xA0))})+"
_APART = rf"(?:[\s.()/\-]|{encoded(' ')}|{encoded(chr(0xA0))})*"
SQLITE = b"SQLite format 3\x00"
DUCKDB_AT, DUCKDB = 8, b"DUCK"
BESIDE_A_DATABASE = ("-wal", "-shm", "-journal")
"""How the names of what belongs to a database of SQLite end, after that of the database."""


class Words:
    """Words to be taken out of texts, in whatever way a text may spell them."""

    def __init__(self, words: Iterable[str]) -> None:
        # the longest first, so that no part of it is left
        ordered = sorted(words, key=len, reverse=True)
        usable = [word for word in ordered if _is_telling(word)]
        short = [_cited(word) for word in ordered if not _is_telling(word) and re.search(r"[^\W\d]", word)]
        patterns = [*map(_spelled, usable), *short]
        self._pattern = re.compile("|".join(patterns), re.IGNORECASE) if patterns else None
        cores = [*map(_core, usable), *short]
        self._cores = [re.compile(core.encode(), re.IGNORECASE) for core in cores]

    def taken_from(self, text: str) -> str:
        """A text without them."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def may_be_in(self, content: bytes) -> bool:
        """Whether a closer look is worth it."""
        return any(core.search(content) for core in self._cores)


def take_from_files(places: Iterable[Path], words: Words, *, but: Iterable[Path]) -> list[Path]:
    """Takes words out of all files at some places or below them; returns those of which it is not known how.

    Args:
        places: files and folders; one may lie in another, or not be there.
        words: what to take out.
        but: files and folders that are somebody else's.

    Raises:
        StateBusyError: another process keeps a file for too long.
    """
    left = []
    others = frozenset(one.resolve() for one in but)
    for file in dict.fromkeys(file for place in places for file in _files(place.resolve(), others)):
        try:
            content = file.read_bytes()
        except FileNotFoundError:  # somebody else's, who is done with it
            continue
        except OSError:  # not ours to read, or on a broken disk
            left.append(file)
            continue
        if content.startswith(SQLITE):
            done = _take_from_database(file, content, words)
        else:
            done = not content[DUCKDB_AT:].startswith(DUCKDB) and _take_from_text(file, content, words)
        if not done:
            left.append(file)
    return left


def _files(place: Path, but: frozenset[Path]) -> Iterator[Path]:
    if place in but or place.is_symlink():
        return
    if place.is_dir():
        if not os.access(place, os.R_OK | os.X_OK, effective_ids=True):
            yield place
            return
        for entry in sorted(place.iterdir()):
            yield from _files(entry, but)
    elif place.is_file() and not _comes_with_its_database(place):
        yield place


def _comes_with_its_database(file: Path) -> bool:
    return any(
        file.name.endswith(ending) and file.with_name(file.name.removesuffix(ending)).exists()
        for ending in BESIDE_A_DATABASE
    )


def _take_from_text(file: Path, content: bytes, words: Words) -> bool:
    if b"\x00" in content:  # UTF-16 may be UTF-8 as well, with one in every letter
        return False
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    if words.may_be_in(content) and (without := words.taken_from(text)) != text:
        try:
            put(file, without.encode())
        except PermissionError:
            return False
    return True


def _take_from_database(file: Path, content: bytes, words: Words) -> bool:
    """Looks into every cell: the bytes of a file tell no text that is in UTF-16, or in more pages than one.

    Returns:
        Whether that could be done: a database may be damaged, or of a kind that this SQLite does not know, or have
        cells that are no texts.
    """
    try:
        in_pages = words.may_be_in(content) or words.may_be_in(_journal_of(file))
        with closing(sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None)) as opened:
            opened.create_function("without", 1, _without(words), deterministic=True)
            opened.create_function("is_text", 1, lambda cell: _text_of(cell) is not None, deterministic=True)
            opened.execute("pragma secure_delete = on")
            opened.execute("begin immediate")
            before, told = opened.total_changes, True
            for table, column in _columns(opened):
                opened.execute(
                    f"update {table} set {column} = without({column})"
                    f" where typeof({column}) in ('text', 'blob') and {column} is not without({column})"
                )
                others = f"select 1 from {table} where typeof({column}) = 'blob' and not is_text({column})"
                told = told and opened.execute(others).fetchone() is None
            changed = opened.total_changes > before
            opened.execute("commit")
            if changed or in_pages:
                opened.execute("vacuum")
                opened.execute("pragma wal_checkpoint(truncate)")
    except sqlite3.Error as error:
        if is_in_use(error):
            raise StateBusyError(
                f"{file} is in use ({error}): stop what uses it, and say it again"
            ) from error
        if found_no_room(error, file.parent):
            raise
        return False
    except PermissionError:  # of the journal
        return False
    return told


def _journal_of(file: Path) -> bytes:
    try:
        return file.with_name(f"{file.name}-wal").read_bytes()
    except FileNotFoundError:
        return b""


def _without(words: Words) -> Callable[[str | bytes], str | bytes]:
    """Most cells hold nothing, which is soon seen."""

    def without(cell: str | bytes) -> str | bytes:
        text = _text_of(cell)
        if text is None or not words.may_be_in(text.encode()):
            return cell
        taken = words.taken_from(text)
        if taken == text:
            return cell
        if isinstance(cell, str):
            return taken
        return taken.encode() if cell == text.encode() else zlib.compress(taken.encode())

    return without


def _text_of(cell: str | bytes) -> str | None:
    """What a cell says, which may be compressed; nothing if that is no text."""
    if isinstance(cell, str):
        return cell
    for unpacked in (bytes, zlib.decompress):
        with suppress(zlib.error, UnicodeDecodeError):
            text = unpacked(cell).decode()
            if "\x00" not in text:
                return text
    return None


def _columns(opened: sqlite3.Connection) -> list[tuple[str, str]]:
    """All of all tables by their quoted names: a cell may hold a text whatever is declared of its column."""
    tables = opened.execute(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
    )
    return [
        (_quoted(table), _quoted(column))
        for (table,) in tables.fetchall()
        for _, column, *_ in opened.execute(f"pragma table_info({_quoted(table)})").fetchall()
    ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _is_telling(word: str) -> bool:
    letters = re.sub(r"\W", "", word)
    return len(letters) >= (SHORTEST_NUMBER if letters.isdigit() else SHORTEST)


def _spelled(word: str) -> str:
    """A word by itself, as it is or as others write it, however often over; a number in JSON is none of ours."""
    not_a_number = r"(?<!: )" if _digits(word) else ""
    after = r"(?![\w+])" if word[-1:].isalnum() else ""
    before = r"(?:(?<![\w+])|(?<=\\[nrt])|(?<=%[0-9a-fA-F]{2}))"
    return f"{not_a_number}{before}{_dialled(word) or ''.join(map(_letter, re.split(_BLANKS, word)))}{after}"


def _cited(word: str) -> str:
    """A short word as a value is told: in quotes, and in its own letters."""
    quote = encoded("'")
    return f"(?-i:{quote}{''.join(map(encoded, word))}{quote})"


def _letter(letters: str) -> str:
    if not letters.strip():
        return _BLANK if letters else ""
    forms = (
        dict.fromkeys((one, one.lower(), one.upper(), normalize("NFD", one), normalize("NFC", one)))
        for one in letters
    )
    return "".join(f"(?:{'|'.join(''.join(map(encoded, form)) for form in one)})" for one in forms)


def _dialled(word: str) -> str:
    """A telephone number, however its digits are set apart, with its country or without."""
    digits = _digits(word)
    if not digits:
        return ""
    country = word[1:].split()[0] if word.startswith("+") else ""
    if not country.isdigit() or len(digits) - len(country) < SHORTEST_NUMBER:
        country = ""
    own = _APART.join(digits[len(country) :])
    ahead = rf"(?:{encoded('+')}|00){_APART}"
    return f"(?:(?:{ahead})?{_APART.join(country)}{_APART})?{own}" if country else f"(?:{ahead})?{own}"


def _digits(word: str) -> str:
    """Those of a telephone number, or of another that is long enough; else none."""
    digits = re.sub(r"\D", "", word)
    return digits if re.fullmatch(r"\+?[\d\s().\-/]+", word) and len(digits) >= SHORTEST_NUMBER else ""


def _core(word: str) -> str:
    """What is in every spelling of a word."""
    if digits := _digits(word):
        return r"[\s\S]{0,9}".join(digits[-SHORTEST_NUMBER:])
    return max(re.findall(r"[A-Za-z0-9]+", word), key=len, default="")

"""How a description says that the shop's door is a folder of files: where it is, and what its files look like.

A pattern is a path below the folder, in whose last part `*` stands for anything: `out/orders_*.csv`. What stands
there is the file's stamp, by which files of one export belong together.
"""

import codecs
import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator

from talk_pipeline.engine.model import Operation
from talk_pipeline.flows.bounds import MOST_HOURS, MOST_SECONDS
from talk_pipeline.flows.mistakes import Located
from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.systems.customwebshop.spec.access import EnvName
from talk_pipeline.systems.customwebshop.spec.places import Path
from talk_pipeline.systems.customwebshop.spec.templates import unknown

Take = Literal["all", "newest", "each"]
"""Of the files a pattern finds all together, the last one alone, or of each record what the last one says."""


def mistaken(text: str) -> str | None:
    """Why a text is no pattern below the folder; None where it is one."""
    *folders, last = text.split("/")
    wild = any(set(one) & set("*?[") for one in folders)
    if wild or any(one in ("", ".", "..") for one in (*folders, last)):
        return f"{text!r} is no pattern below the folder; write one such as out/orders_*.csv"
    return None


def _pattern(text: str) -> str:
    if wrong := mistaken(text):
        raise ValueError(wrong)
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


def _mark(text: str) -> str:
    if text.count("{}") != 1 or "/" in text or text == "{}":
        raise ValueError(f"{text!r} has one {{}} where the name of the file stands that it is about")
    return text


Mark = Annotated[str, AfterValidator(_mark), WithJsonSchema({"type": "string"})]


def marked(done: str, name: str) -> str:
    """The name of the file that marks another as whole, beside it."""
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{done.replace('{}', last)}"


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError(f"{name!r} is no encoding; write one such as utf-8, cp1252 or iso-8859-15") from None
    return name


Encoding = Annotated[str, AfterValidator(_known_encoding), WithJsonSchema({"type": "string"})]


class Csv(Model):
    """Rows of a table, a line each; every value is text."""

    type: Literal["csv"]
    delimiter: str = Field(",", min_length=1, max_length=1)
    quote: str = Field('"', min_length=1, max_length=1, description="around a value, and twice for one in it")
    encoding: Encoding = "utf-8"
    header: bool = Field(True, description="the first line names the columns; false: `columns` does")
    open_end: bool = Field(
        False, description="the last line has no end: then `count` or `done` is to tell that a file is whole"
    )


class JsonLines(Model):
    """An object a line."""

    type: Literal["jsonl"]
    encoding: Encoding = "utf-8"


class XmlFiles(Model):
    """A document with the records at `records`; what its elements are says `xml`."""

    type: Literal["xml"]


Format = Annotated[Csv | JsonLines | XmlFiles, Field(discriminator="type")]


class Put(Model):
    """How the shop is told what is to change: a file a record, each put at once or not at all."""

    path: Pattern = Field(
        description="name of a file; {key} is the same for each repetition, {entity} and {operation} may be there"
    )
    done: Mark | None = Field(
        None, description="name of what marks a file of ours as whole, put after it, such as {}.done"
    )
    operation: Path | None = Field(None, description="place in a record that says what is to be done with it")
    operations: Mapping[Operation, Word] = Field(
        {}, description="create, update, delete -> what the shop calls it"
    )
    rejected: Pattern | None = Field(
        None, description="where the shop puts what it refuses: files whose names hold the key"
    )
    reason: Path | Literal["text"] | None = Field(
        None, description="where such a file has the reason: a place in its first record; text: all of it"
    )
    awaited_hours: float = Field(
        24,
        gt=0,
        le=MOST_HOURS,
        description="how long the shop may take until its export shows what it was told",
    )

    @field_validator("path")
    @classmethod
    def _named(cls, text: str) -> str:
        if "{key}" not in text or "*" in text or unknown(text, ("key", "entity", "operation")):
            raise ValueError(f"{text!r} names {{key}}, and may name {{entity}} and {{operation}} besides")
        if "{key}" not in text.rpartition("/")[2]:
            raise ValueError(f"{text!r}: {{key}} is in the name of the file; no folder is made for it")
        if re.search(r"[0-9A-Za-z}]\{key\}|\{key\}[0-9A-Za-z{]", text):
            raise ValueError(f"{text!r}: {{key}} is a word of its own, as in in/{{entity}}-{{key}}.csv")
        return text

    @property
    def deletes(self) -> bool:
        """Whether a deletion can be told from an update."""
        return bool(self.operation or "{operation}" in self.path)


class Files(Model):
    """A folder of files, on this machine or reached by SFTP."""

    at: EnvName = Field(
        "CUSTOMWEBSHOP_FILES", description="variable with the folder: a path, or sftp://host:port/path"
    )
    user: EnvName | None = Field(None, description="variable with the user's name, of SFTP")
    password: EnvName | None = Field(None, description="variable with the password, of the user or of `key`")
    key: EnvName | None = Field(None, description="variable with the path of a file with the private key")
    host_key: EnvName | None = Field(
        None,
        description="variable with the server's key, such as ssh-ed25519 AAAA...; else ~/.ssh/known_hosts has it",
    )
    format: Format
    done: Mark | None = Field(
        None, description="name of what marks a file as whole, such as {}.done; one without is not there yet"
    )
    count: str | None = Field(
        None,
        description="where a file says how many records it has: its last line, such as #{count}; else a place",
    )
    quiet_seconds: float = Field(
        5,
        ge=0,
        le=MOST_SECONDS,
        description="how long a file must not have been written to before it is read",
    )
    put: Put | None = Field(
        None, description="how the shop is told of changes; without it nothing is written to this shop"
    )

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that it needs."""
        return tuple(filter(None, (self.at, self.user, self.password, self.key, self.host_key)))

    def problems(self) -> Located:
        """What the models alone cannot see, as (key path, message)."""
        if isinstance(self.format, Csv):
            if self.count is not None and "{count}" not in self.count:
                yield ("count",), f"{self.count!r} is the last line of a file, with {{count}} in it"
            if self.format.open_end and not (self.count or self.done):
                text = "a file that breaks off would look whole: say count or done too"
                yield ("format", "open_end"), text
        if (self.password or self.key or self.host_key) and not self.user:
            yield ("user",), "must be there: whose password or key it is"

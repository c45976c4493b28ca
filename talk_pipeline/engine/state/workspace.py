"""Temporary tables that the steps of one piece of work hand to each other.

Each is a type that says what a row is. The step that makes one returns it, and whoever reads it takes it as an
argument: so the order of steps stands in their signatures, and nobody finds by its name what another flow has left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from talk_pipeline.engine.state.connection import Connection


@dataclass(frozen=True, slots=True)
class Temp:
    """A temporary table, once it is made; SQL knows it by its name.

    Attributes:
        found: how many rows the query found that made it.
    """

    NAME: ClassVar[str]
    COLUMNS: ClassVar[str] = ""
    db: Connection
    found: int = 0

    @classmethod
    def made(cls, db: Connection, query: str, parameters: Mapping[str, object] | None = None) -> Self:
        """The rows of a query, in place of whatever was there."""
        made = db.execute(f"create or replace temp table {cls.NAME} as {query}", dict(parameters or {}))
        row = made.fetchone()
        return cls(db, int(row[0]) if row else 0)

    def more(self, query: str, parameters: Mapping[str, object]) -> Self:
        """The same table with the rows of another query behind its own."""
        row = self.db.execute(f"insert into {self.NAME} {query}", dict(parameters)).fetchone()
        return replace(self, found=self.found + (int(row[0]) if row else 0))

    @classmethod
    def empty(cls, db: Connection) -> Self:
        """A table without rows, of the columns declared."""
        db.execute(f"create or replace temp table {cls.NAME} ({cls.COLUMNS})")
        return cls(db)

    @classmethod
    def ensure(cls, db: Connection) -> Self:
        """The table as it is, made where there is none."""
        db.execute(f"create temp table if not exists {cls.NAME} ({cls.COLUMNS})")
        return cls(db)

    @classmethod
    def dropped(cls, db: Connection) -> None:
        """There is none from here on."""
        db.execute(f"drop table if exists {cls.NAME}")

    def __bool__(self) -> bool:
        """Whether its query found a row; nobody has to ask the database again."""
        return self.found > 0

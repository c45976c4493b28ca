"""What a database has of tables: their columns, read from it once, and the statements that read them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from talk_pipeline.systems.customwebshop.spec.description import Entity
from talk_pipeline.systems.customwebshop.spec.lines import Lines
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.stores.columns import shown
from talk_pipeline.systems.customwebshop.stores.store import RefusedError, Row
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline.wording import counted


class Table:
    """A table, a view, or what a statement gives.

    Args:
        name: for people.
        source: where it is selected from.
        stored: whether its rows can be locked and written.
    """

    def __init__(self, name: str, source: Any, *, stored: bool) -> None:
        self.name = name
        self.source = source
        self.stored = stored
        self.columns: Mapping[str, sa.Column[Any]] = {column.name: column for column in source.columns}

    def column(self, name: str) -> sa.Column[Any]:
        """A column.

        Raises:
            ConfigurationFault: there is none.
        """
        try:
            return self.columns[name]
        except KeyError:
            there = ", ".join(self.columns)
            raise ConfigurationFault(f"{self.name} has no column {name!r}; it has {there}") from None

    def query(self) -> "sa.Select[*tuple[Any, ...]]":
        """All rows, each value as the driver gives it."""
        plain = (sa.type_coerce(one, sa.types.NULLTYPE).label(name) for name, one in self.columns.items())
        query: sa.Select[*tuple[Any, ...]] = sa.select(*plain)
        return query.select_from(self.source)

    def next(self, db: sa.Connection, name: str, among: sa.ColumnElement[bool]) -> int:
        """One more than the highest number that some rows have; the caller holds the lock of whose rows they are.

        A statement of its own: not every database reads the table that it is writing.
        """
        highest = db.execute(sa.select(sa.func.max(self.column(name))).where(among)).scalar()
        return int(highest or 0) + 1

    def check_alone(self, name: str, found: Sequence[Mapping[Any, Any]]) -> None:
        """Whether no two rows, in the order of this column, have one id: what is written to one would be to both.

        Raises:
            ConfigurationFault: two have.
        """
        for one, following in pairwise(found):
            if one[name] == following[name] is not None:
                raise ConfigurationFault(
                    f"{self.name}: several rows have {name} {one[name]!r}, by which `id` tells records apart;"
                    f" where only several columns do, make one of them in `select`, and say writes: none"
                )

    def only_row(self, db: sa.Connection, entity: Entity, own: Any) -> sa.ColumnElement[bool]:
        """The row of an id that is to be written: a statement may show one of several.

        Raises:
            RefusedError: several have it.
        """
        name = entity.id.path
        one: sa.ColumnElement[bool] = self.column(name) == own
        if entity.select is None:
            return one  # whoever read it saw them all
        same = sa.select(sa.func.count()).select_from(self.source).where(one)
        if (rows := int(db.execute(same).scalar() or 0)) > 1:
            raise RefusedError(
                f"{counted(rows, 'row')} of {self.name} have the same {name}, of which `select` shows one, and"
                " all would be written: make an id of what tells them apart in `select`, and say writes: none;"
                " or let `path` be a view that shows no others"
            )
        return one

    def entries(
        self, db: sa.Connection, lines: Lines, owners: Sequence[Any], *, of: str
    ) -> dict[Any, list[Json]]:
        """Lines by what names their record, which is one of `owners`; `of` is the column that has these.

        Raises:
            ConfigurationFault: the database takes for equal what is not: to us they are no lines of any record.
        """
        found = dict[Any, list[Json]]()
        parent = self.column(lines.parent or "")
        plain = sa.type_coerce(parent, sa.types.NULLTYPE)
        query = self.query().where(plain.in_(owners)).order_by(parent, self.column(lines.id.path))
        for one in db.execute(query).mappings():
            found.setdefault(one[parent.name], []).append(self.row(one))
        for strange in found.keys() - set(owners):
            raise ConfigurationFault(
                f"{self.name}.{parent.name} has {strange!r} where {of} has what is written otherwise, such as"
                f" {owners[0]!r}: read the lines through a view in which both are alike"
            )
        return found

    def row(self, found: Mapping[Any, Any]) -> Row:
        """A row as JSON."""
        return {name: shown(column, found[name]) for name, column in self.columns.items()}


class Tables:
    """Those of one database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._known: dict[str, Table] = {}

    def named(self, name: str) -> Table:
        """A table or a view.

        Raises:
            ConfigurationFault: there is none.
        """
        if name not in self._known:
            schema, _, bare = name.rpartition(".")
            try:
                found = sa.Table(
                    bare, sa.MetaData(), schema=schema or None, autoload_with=self._engine, resolve_fks=False
                )
            except exc.NoSuchTableError:
                there = ", ".join(sorted(self._there(schema or None)))
                raise ConfigurationFault(f"there is no table {name!r}; there are {there}") from None
            self._known[name] = Table(name, found, stored=True)
        return self._known[name]

    def read(self, entity: Entity) -> Table:
        """What an entity is read from."""
        if entity.select is None:
            return self.named(entity.path)
        key = f"select {entity.select}"
        if key not in self._known:
            with self._engine.connect() as db:
                given = sa.text(entity.select).columns().subquery("records")
                names = list(db.execute(sa.select(sa.text("*")).select_from(given).limit(0)).keys())
            known = self.named(entity.path).columns if self._has(entity.path) else {}
            columns = [sa.column(name, known[name].type if name in known else None) for name in names]
            source = sa.text(entity.select).columns(*columns).subquery("records")
            self._known[key] = Table(f"select of {entity.path}", source, stored=False)
        return self._known[key]

    def written(self, entity: Entity) -> Table:
        """What an entity is written to.

        Raises:
            RefusedError: it is a statement alone.
        """
        if entity.select is not None and not self._has(entity.path):
            raise RefusedError(f"{entity.path} is no table: what a statement gives is not written to")
        return self.named(entity.path)

    def _has(self, name: str) -> bool:
        schema, _, bare = name.rpartition(".")
        return bare in self._there(schema or None)

    def _there(self, schema: str | None) -> list[str]:
        look = sa.inspect(self._engine)
        return [*look.get_table_names(schema=schema), *look.get_view_names(schema=schema)]

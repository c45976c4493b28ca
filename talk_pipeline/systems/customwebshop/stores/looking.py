"""What a database shows of the description it is read by, for `talk-pipeline check-config`."""

from collections.abc import Iterator

import sqlalchemy as sa

from talk_pipeline.flows.mistakes import Location
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.fields import Field
from talk_pipeline.systems.customwebshop.stores.tables import Table, Tables
from talk_pipeline.systems.customwebshop.wire.evidence import Probe
from talk_pipeline.systems.customwebshop.wire.records import Reader
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline.wording import counted


def look(db: sa.Connection, tables: Tables, reader: Reader, *, untyped: bool) -> Iterator[Probe]:
    """Whether tables and columns are there, and moments are written as they are read."""
    entity = reader.entity
    try:
        table = tables.read(entity)
    except ConfigurationFault as fault:
        yield Probe("problem", ("path",), str(fault))
        return
    number = db.execute(sa.select(sa.func.count()).select_from(table.source)).scalar_one()
    yield Probe("ok", ("path",), f"{table.name} has {counted(number, 'record')}")
    said = [("id", entity.id.path), *(("modified", path) for path in entity.modified_at)]
    said += [("version", entity.version.at)] if entity.version else []
    said += [("deleted", entity.deleted.at)] if entity.deleted and entity.deleted.at else []
    lacking = [*_lacking(table, said)]
    yield from lacking
    if not lacking:
        yield from _shared(db, table, entity.id.path)
    yield from _fields(table, reader.fields(), ())
    if not lacking and entity.modified:
        yield from _moments(db, table, reader, untyped=untyped)
    if entity.create or entity.update:
        yield from _lacking(tables.written(entity), [("stamps", name) for name in entity.stamps])
    for name, lines in reader.lists():
        if lines.table is None:
            continue
        at: Location = ("children", name)
        try:
            listed = tables.named(lines.table)
        except ConfigurationFault as fault:
            yield Probe("problem", (*at, "table"), str(fault))
            continue
        said = [("id", lines.id.path), ("parent", lines.parent or "")]
        yield from _lacking(listed, said + [("stamps", column) for column in lines.stamps], at)
        yield from _fields(listed, reader.fields(name), at)


def _lacking(table: Table, said: list[tuple[str, str]], at: Location = ()) -> Iterator[Probe]:
    for key, path in said:
        if paths.steps(path)[0] not in table.columns:
            there = ", ".join(table.columns)
            yield Probe("problem", (*at, key), f"{table.name} has no column {path!r}; it has {there}")


def _shared(db: sa.Connection, table: Table, name: str) -> Iterator[Probe]:
    """Whether rows share what is to tell them apart."""
    own = table.column(name)
    several = sa.select(own).group_by(own).having(sa.func.count() > 1).limit(1)
    value = db.execute(several.select_from(table.source)).scalar()
    if value is not None:
        text = (
            f"several rows of {table.name} have {name} {value!r}: where only several columns tell them apart"
        )
        yield Probe("problem", ("id",), f"{text}, make one of them in `select`, and say writes: none")


def _fields(table: Table, fields: "dict[str, Field] | object", at: Location) -> Iterator[Probe]:
    if not isinstance(fields, dict):
        return
    for name, field in fields.items():
        for path in field.sources(name):
            if paths.steps(path)[0] not in table.columns:
                text = f"{table.name} has no column {path!r}: name the one that has it, or say that it lacks {name}"
                yield Probe("problem", (*at, "fields", name), text)


def _moments(db: sa.Connection, table: Table, reader: Reader, *, untyped: bool) -> Iterator[Probe]:
    """Texts are compared as texts: what was changed since is only found if both are written alike."""
    places = reader.entity.modified_at
    blank = (table.column(one).is_(None) for one in places)
    without = db.execute(table.query().where(*blank).limit(1)).mappings().first()
    if without is not None:
        own = table.row(without).get(reader.entity.id.path)
        where = " | ".join(places)
        text = f"{where} is blank in a record ({own}), so that no sensor sees a change of it: name a second place"
        yield Probe("problem", ("modified",), text)
    path = places[0]
    filled = table.query().where(table.column(path).is_not(None)).limit(1)
    found = db.execute(filled).mappings().first()
    if found is None:
        return
    value = table.row(found)[path]
    moment = reader.times.read(value)
    if moment is None:
        text = f"{value!r} is no moment by `times: {reader.entity.times}`"
        yield Probe("problem", ("modified",), text)
    elif untyped and paths.text_of(value) != str(reader.times.write(moment)):
        written = reader.times.write(moment)
        text = f"{value!r} would be written {written!r}, and texts are compared as texts: say by `times` how"
        yield Probe("problem", ("modified",), text)
    else:
        yield Probe("ok", ("modified",), f"{path} tells when a record was modified, such as {value}")

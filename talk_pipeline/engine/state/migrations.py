"""The schema of the state, and the steps that bring a database of an earlier version up to it."""

import hashlib
from pathlib import Path

import duckdb

from talk_pipeline.engine.state.connection import (
    Connection,
    StateBrokenError,
    StateMismatchError,
    transaction,
)
from talk_pipeline.engine.state.meta import get_meta, set_meta, tables_of

FOLDER = Path(__file__).parent
TABLES = (FOLDER / "schema.sql").read_text(encoding="utf-8")
VIEWS = (FOLDER / "views.sql").read_text(encoding="utf-8")
SCHEMA_VERSION = "9"
LAYOUT = hashlib.sha256((TABLES + VIEWS).encode()).hexdigest()
"""Kept with a database that has these tables and views: putting them in place costs more than a small sync."""

RENAMED = {
    "sighting": "edit",
    "mark": "dirty",
    "standing": "status",
    "deed": "decision",
    "verdict": "check_result",
}

# until version 3 the records and values of a request were kept as one document
_WRITTEN_BEFORE = """
select intent_id, 0 as place, details as one from journal
union all
select intent_id, c.place, details->'children'->(c.place - 1) from journal,
  lateral (select unnest(range(1, coalesce(json_array_length(details->'children'), 0)::bigint + 1)) as place) c
"""
_VALUES_BEFORE = """
select intent_id, place, e.key, e.value->>'source', e.value->>'sent', e.value->>'before',
       case e.value->>'rule' when 'companion' then 'send_with' else e.value->>'rule' end,
       (e.value->>'conflict')::boolean
from (select intent_id, place, unnest(map_entries((one->'sent')::map(varchar, json))) as e from written_before)
"""

# what brings a database of an older version up to the named one; tables it lacks are made before
STEPS = {
    "2": (
        "alter table conflict add column if not exists decided_by varchar",
        "alter table conflict add column if not exists decided_at timestamp",
    ),
    "3": (
        "alter table candidate add column if not exists linked varchar",
        "alter table apart add column if not exists never boolean",
        "alter table snapshot add column if not exists earlier varchar[]",
        "alter table journal add column if not exists left_at timestamp",
        "alter table journal add column if not exists open_until timestamp",
        # when these left was not kept: they are treated as what a run left behind that was killed
        "update journal set left_at = intent_at, outcome = null where outcome is null or outcome = 'unknown'",
        "alter table run add column if not exists ended_at timestamp",
        "alter table run add column if not exists problem varchar",
        "alter table run add column if not exists stopped_by varchar",
        "alter table run add column if not exists stopped varchar",
        "alter table run add column if not exists undoes varchar",
        "alter table link add column if not exists met_at timestamp",
        "update link set met_at = linked_at where state = 'active'",
        "alter table refusal add column if not exists about_another boolean",
        "alter table refusal add column if not exists refusal_kind varchar",
        "update refusal set refusal_kind = case when starts_with(reason, 'outcome unknown:')"
        " then 'outcome_unknown' else 'refused' end",
        "alter table change add column if not exists hold_kind varchar",
        "alter table change add column if not exists hold_reason varchar",
        "update change set hold_kind = split_part(withheld, ':', 1),"
        " hold_reason = substr(withheld, strpos(withheld, ':') + 2) where withheld is not null",
        "alter table change drop column withheld",
    ),
    "4": (
        # the new names were made, empty, with the tables that the database lacked
        *(
            statement
            for old, new in RENAMED.items()
            for statement in (f"drop table if exists {new}", f"alter table if exists {old} rename to {new}")
        ),
        "alter table base rename column bounces to mismatches",
        "alter table journal add column if not exists root_bc_id varchar",
        "update journal set root_bc_id = details->>'root_bc_id'",
        f"create temp table written_before as {_WRITTEN_BEFORE}",
        "insert into journal_child (intent_id, place, part, operation, shop_id, bc_id)"
        " select intent_id, place, one->>'part', one->>'operation', one->>'shop_id', one->>'bc_id'"
        " from written_before where place > 0",
        "insert into journal_value (intent_id, place, property, source, sent, before, rule, conflict)"
        f" {_VALUES_BEFORE}",
        "drop table written_before",
        "insert into recalculation (intent_id, part, shop_id, property) select intent_id, p[1], p[2], p[3] from"
        """ (select intent_id, unnest(from_json(details->'recalculates', '[["VARCHAR"]]')) as p from journal)""",
        "alter table journal drop column details",
    ),
    "5": (
        "alter table conflict add column if not exists acknowledged_by varchar",
        "alter table conflict add column if not exists acknowledged_at timestamp",
        "update conflict set acknowledged_by = decided_by, acknowledged_at = decided_at",
    ),
    "6": ("alter table link add column if not exists shared_id varchar",),
    "7": ("alter table journal add column if not exists skew_seconds double",),
    "8": ("alter table link add column if not exists called map(varchar, varchar)",),
    "9": (
        # why they have no counterpart was not kept: they are looked at again
        "insert into dirty (flow, side, id, marked_at) select s.flow, s.side, s.id, s.fetched_at from snapshot s"
        " anti join link l on l.part = s.flow and l.bc_id = s.id"
        " anti join dirty d on d.flow = s.flow and d.side = s.side and d.id = s.id"
        " where s.side = 'businesscentral' and s.gone is null",
        "delete from meta where starts_with(key, 'planned:')",
    ),
}


def prepare(connection: Connection, file: Path) -> None:
    """Puts the schema in place, all of it or nothing, in a new database or in one of an earlier version.

    Raises:
        StateBrokenError: what lies there holds something else.
        StateMismatchError: it was written by a later version.
    """
    if _is_current(connection):
        return
    tables = tables_of(connection)
    if tables and not {"meta", "snapshot", "link"} <= {*tables}:
        raise StateBrokenError(
            f"{file} holds something else ({', '.join(tables[:5])}): use another TALK_DATA_DIR"
        )
    version = get_meta(connection, "schema") if tables else None
    if version is not None and int(version) > int(SCHEMA_VERSION):
        raise StateMismatchError(
            f"{file} has schema version {version}, this release knows {SCHEMA_VERSION}; "
            "use the release that wrote it, or start with an empty TALK_DATA_DIR"
        )
    with transaction(connection):
        connection.execute(TABLES)
        if version is None:
            set_meta(connection, "schema", SCHEMA_VERSION)
        elif int(version) < int(SCHEMA_VERSION):
            _migrate(connection, known=int(version))
            connection.execute(TABLES)
        connection.execute(VIEWS)
        set_meta(connection, "layout", LAYOUT)


def _is_current(connection: Connection) -> bool:
    """Whether nothing is to be done, which is nearly always so: what tables there are is a slow question."""
    try:
        return (get_meta(connection, "schema"), get_meta(connection, "layout")) == (SCHEMA_VERSION, LAYOUT)
    except (duckdb.CatalogException, duckdb.BinderException):
        return False  # new, or something else's


def _migrate(connection: Connection, *, known: int) -> None:
    """The steps to this version, in the caller's transaction: a database is of one version or of another."""
    for version, statements in STEPS.items():
        for statement in statements if int(version) > known else ():
            connection.execute(statement)
    connection.execute("update meta set value = ? where key = 'schema'", [SCHEMA_VERSION])

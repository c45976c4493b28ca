"""What the pipeline has on record: its state, copied at once, and what is asked of the copy."""

import errno
import json
import time
from pathlib import Path

import duckdb

from talk_pipeline.audit import NotAuditableError, UnreachableError
from talk_pipeline.settings import Settings

_TABLES = dict.fromkeys(
    ("status", "bc_status", "change", "refusal", "candidate", "base", "watermark", "journal", "apart"), "*"
)
_TABLES |= {"snapshot": "flow, side, id, modified_at", "record": "part, id, raw"}
_TABLES["decision"] = "flow, action, shop_id, bc_id, details, done_at"
_TABLES["run"] = "flow, started_at"
_TABLES["link"] = "part, root_shop_id, shop_id, bc_id, state, rule, shared_id, called"
# nothing is fetched for a file of another kind
_ALONE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}

_OF_FLOW = "split_part(part, '.', 1) = $flow"
# the reasons on record, by record or line and property: '' why it is at one side, or beside others; * of all of it;
# = what follows from the others, beside that several share a key. A property that waits says nothing of the whole,
# nor does what cannot be of a pair; what was sent a day ago would have been looked up by a run
REASONS = """
select part, id, unnest(if(operation = 'update', [property], [property, ''])),
  coalesce(hold_kind || ': ' || hold_reason, 'planned, and not written yet')
from (select *, unnest([shop_id, bc_id]) as id from change where flow = $flow)
union all select flow, unnest([root_shop_id, root_bc_id]), '=', 'changes of it wait' from change where flow = $flow
union all select part, record_id, unnest(properties), 'refused: ' || reason from refusal where flow = $flow
union all select flow, unnest([root_shop_id, root_bc_id]), '*', 'sent, and not answered yet' from journal
  where flow = $flow and coalesce(outcome, 'unknown') = 'unknown'
    and epoch(now()) - epoch(intent_at) < 86400
union all select flow, shop_id, unnest(case when is_pair and state = 'held' then []
    when is_pair and state = 'closed' then ['']
    when state in ('closed', 'held', 'broken', 'excluded') then ['*']
    when is_pair and state in ('waiting', 'quarantined') then ['=']
    when state = 'attached' then ['=', 'beside']
    else ['=', ''] end),
  state || ': ' || reason
  from (select *, shop_id in (select shop_id from link where part = $flow and state = 'active') as is_pair
        from status)
  where flow = $flow
union all select flow, id, unnest(['=', '']), 'ambiguous: ' || property
  from (select *, unnest([shop_id, bc_id]) as id from candidate where flow = $flow)
union all select flow, bc_id, '', 'held: unlinked by hand' from apart where flow = $flow and held
union all select flow, bc_id, '', state || ': ' || reason from bc_status where flow = $flow
  and bc_id not in (select bc_id from link where part = $flow and bc_id is not null)
"""
BASES = f"select part, shop_id, property, [shop_value, bc_value] from base where {_OF_FLOW}"
READ = f"select part, id, unnest(map_keys(raw)), unnest(map_values(raw)) from record where {_OF_FLOW}"
# of a record when it was read last; of a side, under no id and by its clock, when the run began that read it last
SEEN = """select side, id, modified_at from snapshot where flow = $flow
union all select w.side, '', max(r.started_at) + to_seconds(w.skew_seconds)
from watermark w join run r on r.flow = w.flow and r.started_at <= w.fetched_at
where w.flow = $flow group by w.side, w.skew_seconds"""
LINKS = """select part, if(contains(part, '.'), root_shop_id, ''), shop_id, bc_id, state, rule, shared_id
from link"""
# what a person said last that one is linked with, or shares
DECIDED = """
select shop_id, max_by(bc_id, done_at) from (
  select flow, unnest([shop_id, details->>'led_before']) as shop_id, bc_id, done_at from decision
  where action in ('linked', 'attached')) where flow = $flow group by shop_id
"""

TOLD = """
select r.raw[$1], l.shop_id from record r join link l on l.part = r.part and l.bc_id = r.id
where r.part = $2 and r.raw[$1] is not null
union all select called[$1], shop_id from link where part = $2 and called[$1] is not null
"""


def recorded(settings: Settings) -> duckdb.DuckDBPyConnection:
    """What is on record, copied at once: no run waits for an audit.

    Raises:
        NotAuditableError: there is no state, it is damaged, or of another release.
        OSError: what the operating system says of what is put on disk meanwhile.
        UnreachableError: somebody else has it for too long.
    """
    file = settings.work_dir / "talk.duckdb"
    if not file.exists():
        raise NotAuditableError(f"there is no {file}: run talk-pipeline sync first")
    _look(file, 8, b"DUCK")
    _look(file.with_name(f"{file.name}.wal"), 0, b"d\0b")
    db = duckdb.connect(config=_ALONE)
    try:
        db.execute("set errors_as_json = true")
        db.execute("set temp_directory = $1", [str(file.with_name("spilled"))])
        if settings.talk_memory:
            db.execute("set memory_limit = $1", [settings.talk_memory])
        _attach(db, file, time.monotonic() + settings.talk_wait_seconds)
        for table, columns in _TABLES.items():
            _copy(db, file, f"create table {table} as select {columns} from state.{table}")
        db.execute("reset errors_as_json")
        db.execute("detach state")
    except BaseException:
        db.close()  # else it would keep the file from others
        raise
    return db


def _attach(db: duckdb.DuckDBPyConnection, file: Path, deadline: float) -> None:
    path = str(file).replace("'", "''")
    while True:
        try:
            db.execute(f"attach '{path}' as state (read_only)")
            break
        except duckdb.Error as error:
            number, why = _told(error)
            if number != errno.EAGAIN and not isinstance(error, duckdb.ResourceInUseException):  # no lock
                raise NotAuditableError(_broken(file, why)) from None
            if time.monotonic() > deadline:
                raise UnreachableError(f"{file} cannot be read: {why}") from None
            time.sleep(0.1)


def _copy(db: duckdb.DuckDBPyConnection, file: Path, statement: str) -> None:
    try:
        db.execute(statement)
    except (duckdb.BinderException, duckdb.CatalogException):
        raise NotAuditableError(f"{file} is of another release: run talk-pipeline sync first") from None
    except duckdb.Error as error:
        number, why = _told(error)
        if number:
            raise OSError(number, why) from None
        raise NotAuditableError(_broken(file, why)) from None


def _told(error: duckdb.Error) -> tuple[int, str]:
    """The operating system's number, if it was that, and what is said of it."""
    told = json.loads(str(error)[str(error).index("{") :])
    return int(told.get("errno", 0)), " ".join(str(told["exception_message"]).split())


def _look(file: Path, at: int, begins: bytes) -> None:
    """What is no file of DuckDB is no state; one that a power cut left without its contents is none."""
    if file.is_file():
        with file.open("rb") as opened:
            said = opened.read(at + len(begins))
        if any(said) and not begins.startswith(said[at:]):
            raise NotAuditableError(_broken(file, "it is none of DuckDB"))


def _broken(file: Path, why: str) -> str:
    return f"{file} cannot be read: {why}. If it is damaged, put a backup in its place: talk-pipeline restore"

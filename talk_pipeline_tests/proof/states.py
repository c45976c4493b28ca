"""The states that real runs have to come to, and the look into the database of a run that tells which are there.

What is declared by a kind of the engine is asked for as a whole: a new kind is a state to be reached. A look leaves
out whatever this process has seen already, since it follows every run of the tests.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import get_args

from talk_pipeline.engine.kinds import Gone, HoldKind, LinkState, RefusalKind, Status
from talk_pipeline.engine.manual.both_restored import RESTORED
from talk_pipeline.engine.model import Result
from talk_pipeline.engine.plan.merge import INITIAL, RECALCULATED
from talk_pipeline.engine.report.checklist import NOT_RESTORED, VOLUME
from talk_pipeline.engine.snapshot import reversals
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.properties import Policy
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.proof.counts import COUNTS

BY_HAND = (
    "linked",
    "unlinked",
    "kept apart",
    "released",
    "resolved",
    "retried",
    "restored",
    "forgotten",
)


def _each(what: str, column: str, table: str, kinds: type[StrEnum] | Iterable[str]) -> tuple[str, set[str]]:
    """A query that tells which of some kinds a column holds, and what it may tell."""
    query = f"select distinct '{what}: ' || {column} from {table} where {column} is not null"
    return query, {f"{what}: {kind}" for kind in kinds}


def _one(name: str, found: str) -> tuple[str, set[str]]:
    """A query that tells a single state where something is found."""
    return f"select '{name}' where exists (select 1 {found})", {name}


# an intent whose outcome was put on disk by a later run of its flow
_SETTLED = """from journal j join run r on r.flow = j.flow and r.run_id <> j.run_id
  and r.started_at > j.intent_at and r.started_at < j.outcome_at where j.outcome = """
_WRITTEN_AFTER_ALL = """from journal s join journal d using (run_id, flow, target)
  where s.outcome = 'stale' and d.outcome = 'done' and d.intent_at > s.outcome_at
    and d.root_shop_id is not distinct from s.root_shop_id"""
# what ended together was one batch
_PARTLY = (
    "from journal where outcome is not null group by target, outcome_at having count(distinct outcome) > 1"
)
_SEVERAL = "from candidate where linked is null group by flow, {0} having count(distinct {1}) > 1"
_TAKEN = "from candidate where linked = '{0}'"

HELD = _each("held", "hold_kind", "change", HoldKind)
SOURCES: Mapping[str, set[str]] = dict(
    (
        HELD,
        _each("record", "state", "status", Status),
        _each("refusal", "refusal_kind", "refusal", RefusalKind),
        _each("link", "state", "link", LinkState),
        _each("gone", "gone", "snapshot", Gone),
        _each("request", "outcome", "journal", Result),
        _each("restored", "kind", "reversal", get_args(reversals.Kind)),
        _each("conflict by", "rule", "conflict", (*get_args(Policy), INITIAL, RECALCULATED, RESTORED)),
        _each("conflict won by", "winner", "conflict", Side),
        _each("by hand", "action", "decision", BY_HAND),
        _each("stopped by", "stopped_by", "run", (VOLUME.name, NOT_RESTORED)),
        _one("ambiguous: several in Business Central", _SEVERAL.format("shop_id", "bc_id")),
        _one("ambiguous: several in the shop", _SEVERAL.format("bc_id", "shop_id")),
        _one("ambiguous: the one in Business Central belongs to a pair", _TAKEN.format(Side.BC)),
        _one("ambiguous: the one in the shop belongs to a pair", _TAKEN.format(Side.SHOP)),
        _one("stale, planned anew and written in the same run", _WRITTEN_AFTER_ALL),
        _one("no outcome, settled later: done", f"{_SETTLED} 'done'"),
        _one("no outcome, settled later: not done", f"{_SETTLED} 'failed'"),
        _one(
            "no outcome, may be at work", "from journal where outcome = 'unknown' and open_until is not null"
        ),
        _one("a batch partly done", _PARTLY),
        _one("a listing that broke off", "from watermark where not complete"),
        _one("refused because of another record", "from refusal where about_another"),
        _one("stored otherwise than sent", "from base where mismatches > 0"),
        _one("worked out anew, to be told again", "from base where resend is not null"),
        _one("two never to be paired", "from apart where never"),
        _one("a run undone", "from run where undoes is not null"),
    )
)
CLEARED = "waiting, and in step one run later"
NOT_YET_SEEN = frozenset(
    (
        "restored: open again",
        "restored: vanished",
    )
)
"""Those of which nobody has seen a run of all tests that reaches them: told at the end, and failing nothing."""
DECLARED = frozenset({CLEARED}.union(*SOURCES.values()))

_WAITING = "select flow, shop_id from status where state = 'waiting'"
_IN_STEP = """
select 1 from link l join (select unnest($flows::varchar[]) as part, unnest($ids::varchar[]) as shop_id)
using (part, shop_id) where l.state = 'active' and (l.part, l.shop_id) not in (select (flow, shop_id) from status)
"""


def _note(db: Connection, sources: Mapping[str, set[str]]) -> None:
    queries = [query for query, told in sources.items() if not told <= COUNTS.reached]
    if queries:
        found = db.execute(" union all ".join(queries)).fetchall()
        COUNTS.reached |= {name for (name,) in found} & DECLARED


class Watch:
    """Looks into one database, run after run."""

    def __init__(self) -> None:
        self._waiting: set[tuple[str, str]] = set()

    def look_at_plan(self, db: Connection) -> None:
        """Notes what is held in a plan, which the run may carry out yet."""
        _note(db, dict((HELD,)))

    def look_after_run(self, db: Connection) -> None:
        """Notes the states that are there when a run is over, and whether a record waits no longer."""
        _note(db, SOURCES)
        if CLEARED in COUNTS.reached:
            return
        before, self._waiting = self._waiting, set(db.execute(_WAITING).fetchall())
        gone = before - self._waiting
        places = {"flows": [flow for flow, _ in gone], "ids": [shop_id for _, shop_id in gone]}
        if gone and db.execute(_IN_STEP, places).fetchone():
            COUNTS.reached.add(CLEARED)

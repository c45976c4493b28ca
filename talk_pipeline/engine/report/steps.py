"""The next steps of many entities of a flow, in the words in which one is explained.

What `next_step` is to know of each is asked for once for all of them, when the first one is.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.manual.lookup import Entity
from talk_pipeline.engine.report import next_step
from talk_pipeline.engine.report.conflicts import UNDECIDED
from talk_pipeline.engine.report.next_step import decided_text
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import rows_of
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow

ACKNOWLEDGE = "see whether the right value won; then: talk-pipeline acknowledge {name}"
FAILED = (
    "talk-pipeline checklist names the records: make them right in the two systems, then talk-pipeline sync"
    " --flow {flow}"
)
FLAGGED = "decide what becomes of it, and say so in the two systems: nothing acts on it"
LOOK_UP = (
    "talk-pipeline sync --flow {flow}: it looks whether it was carried out, and sends it again if it was not"
)
RESTORED = (
    "say which is right: talk-pipeline sync --restored customwebshop|businesscentral names the system that was"
    " restored, talk-pipeline sync --approve takes what it shows for edits"
)
READ_AGAIN = "talk-pipeline sync --flow {flow}: it reads anew; if it stops again, mend what the reason names"

_UNDECIDED = f"""
select root_shop_id as shop_id, root_bc_id as bc_id, count(*) as number from ({UNDECIDED}) group by all
"""

_GIVEN_UP = f"""
select root_shop_id as id from refusal where flow = $flow
union
select record_id from refusal where flow = $flow and part = $flow
union
select l.root_shop_id from base b join link l on l.part = b.part and l.shop_id = b.shop_id
where list_contains($parts::varchar[], b.part) and b.mismatches > 0
union
select root_shop_id from change where flow = $flow and hold_kind = '{HoldKind.DIFFERING}'
"""

_REFUSED_STILL = f"""
select distinct root_shop_id as id from change where flow = $flow and hold_kind = '{HoldKind.REFUSED}'
"""

# what a person did since the flow was last planned and carried out, the latest first
_DECIDED = f"""
select shop_id, bc_id, action, done_by, done_at from decision
where flow = $flow and {next_step.SINCE_CARRIED_THROUGH}
order by done_at desc
"""

_OPEN_UNTIL = """
select root_shop_id as shop_id, root_bc_id as bc_id, min(open_until) as until from journal
where flow = $flow and is_open(outcome) and open_until is not null group by all
"""

_CANDIDATES = """
select c.shop_id, c.bc_id, c.linked, s.raw[$key] as shop_key, b.raw[$key] as bc_key from candidate c
left join record s on s.part = $flow and s.side = 'customwebshop' and s.id = c.shop_id
left join record b on b.part = $flow and b.side = 'businesscentral' and b.id = c.bc_id
where c.flow = $flow order by c.shop_id, c.bc_id
"""


def stateless(entity: Entity) -> str:
    """The state of one that has none in the database."""
    return next_step.UNJUDGED if entity.shop_id else next_step.UNLINKED


@dataclass(frozen=True)
class Facts:
    """What the next steps of a flow's records depend on."""

    db: Connection
    flow: Flow

    def next_step(self, entity: Entity, *, state: str) -> str:
        """What to do about a record that waits for a person."""
        known = next_step.Situation(
            undecided=self._undecided[entity.shop_id or entity.bc_id],
            refused=bool({entity.shop_id, entity.bc_id} & self._given_up),
            refused_still=entity.shop_id in self._refused_still,
            candidates=self._candidates[entity.end],
            decided=self._decided(entity),
            answer_until=self._answer_until(entity),
        )
        return next_step.next_step(self.flow, entity, state=state, known=known)

    def _rows(self, query: str) -> list[dict[str, Any]]:
        parts = [part.name for part in self.flow.parts]
        return rows_of(self.db, query, {"flow": self.flow.name, "parts": parts, "key": self.flow.create_key})

    @cached_property
    def _undecided(self) -> Mapping[str | None, int]:
        found: Counter[str | None] = Counter()
        for row in self._rows(_UNDECIDED):
            found[row["shop_id"] or row["bc_id"]] += row["number"]
        return found

    @cached_property
    def _given_up(self) -> set[str | None]:
        return {row["id"] for row in self._rows(_GIVEN_UP)}

    @cached_property
    def _refused_still(self) -> set[str | None]:
        return {row["id"] for row in self._rows(_REFUSED_STILL)}

    @cached_property
    def _decisions(self) -> list[dict[str, Any]]:
        return self._rows(_DECIDED)

    def _decided(self, entity: Entity) -> str | None:
        for row in self._decisions:
            if _is_about(row, entity):
                return decided_text(row)
        return None

    @cached_property
    def _open(self) -> list[dict[str, Any]]:
        return self._rows(_OPEN_UNTIL)

    def _answer_until(self, entity: Entity) -> datetime | None:
        return min((row["until"] for row in self._open if _is_about(row, entity)), default=None)

    @cached_property
    def _candidates(self) -> Mapping[tuple[Side, str | None], list[dict[str, Any]]]:
        """By the record that has them: the other side's, named as `explain` names them."""
        found: defaultdict[tuple[Side, str | None], list[dict[str, Any]]] = defaultdict(list)
        for row in self._rows(_CANDIDATES):
            for side in Side:
                if row["linked"] != side:
                    other_id, key = (row[f"{side.other.short}_{what}"] for what in ("id", "key"))
                    name = f"{other_id} ({self.flow.create_key} {key})" if key else other_id
                    found[side, row[f"{side.short}_id"]].append(
                        {"id": other_id, "name": name, "free": row["linked"] is None}
                    )
        return found


def _is_about(row: Mapping[str, Any], entity: Entity) -> bool:
    return bool(
        (entity.shop_id and row["shop_id"] == entity.shop_id)
        or (entity.bc_id and row["bc_id"] == entity.bc_id)
    )

"""All that is known of one entity, as one document: the answer to "why is this record not in step?".

From the database alone: nothing is asked of the systems, so what is told is as old as the last sync, and says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from talk_pipeline.engine.kinds import BY_HAND, HoldKind
from talk_pipeline.engine.manual.lookup import Entity, key_of, labels
from talk_pipeline.engine.plan.refusals import OF_RECORD
from talk_pipeline.engine.plan.totals import differences
from talk_pipeline.engine.plan.unanswered import waits_until
from talk_pipeline.engine.report import next_step
from talk_pipeline.engine.report.agreement import lacking, meant_by
from talk_pipeline.engine.report.flagged import flagged
from talk_pipeline.engine.report.history import OWN, conflicts, how, parameters, too_late, writes
from talk_pipeline.engine.snapshot.holding import agree
from talk_pipeline.engine.state.connection import Connection, stamp
from talk_pipeline.engine.state.rows import rows_of
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part

Row = dict[str, Any]
Ids = tuple[str | None, str | None]

_SIDES = """
select s.side, s.id, s.version, s.modified_at, s.fetched_at, s.edited_at, s.gone, w.fetched_at as read_at,
       (select max(j.outcome_at) from journal j
        where j.flow = $flow and j.target = s.side and j.outcome = 'done'
          and (j.root_shop_id = $shop_id or j.part = $flow and j.bc_id = $bc_id)) as last_written_at
from snapshot s left join watermark w on w.flow = s.flow and w.side = s.side
where s.flow = $flow
  and (s.side = 'customwebshop' and s.id = $shop_id or s.side = 'businesscentral' and s.id = $bc_id)
"""

_CHANGES = """
select part, target, operation, shop_id, bc_id, property, before, after, base, rule, conflict,
       hold_kind, withheld(hold_kind, hold_reason) as withheld
from change
where flow = $flow and (root_shop_id = $shop_id or root_shop_id is null and root_bc_id = $bc_id)
order by target, part, shop_id, bc_id, property
"""

_REFUSALS = f"""
select part, target, properties, reason, refused_at from refusal where flow = $flow and {OF_RECORD}
"""

_APART = """
select shop_id, bc_id, held, parted_at, parted_by from apart
where flow = $flow and (shop_id = $shop_id or bc_id = $bc_id) order by parted_at
"""

# with whoever else claims one of them
_CANDIDATES = """
select shop_id, bc_id, property, linked from candidate
where flow = $flow
  and (bc_id = $bc_id or bc_id in (select bc_id from candidate where flow = $flow and shop_id = $shop_id))
order by shop_id <> $shop_id, shop_id, bc_id
"""

_SINCE_LAST_RUN = f"""
select action, done_by, done_at from decision
where flow = $flow and (shop_id = $shop_id or bc_id = $bc_id) and {next_step.SINCE_CARRIED_THROUGH}
order by done_at desc limit 1
"""


def explanation(db: Connection, flows: Flows, flow: Flow, entity: Entity) -> Row:
    """The document; every time in it is text in UTC.

    Returns:
        `flow`, `shop_id`, `bc_id`, `keys`, `state`, `reason`, `next_step`, `remarks`, `last_run`, `link`,
        `kept_apart`, `candidates`, `sides`, `parts`, `differences` (numbers that differ from what
        the record comes to, with what makes that up), `pending` and `withheld` (changes, with `label` and
        `withheld`), `conflicts` (`open` and `past`), `refusals`, and `journal` as `history.writes` gives it, latest
        first.
    """
    shared = db.execute(
        "select shared_id from link where part = ? and shop_id = ?", [flow.name, entity.shop_id]
    ).fetchone()
    return _Teller(db, flows, flow, entity, beside=(shared and shared[0]) or entity.bc_id).document()


@dataclass(frozen=True, slots=True)
class _Teller:
    """Gathers what the tables say of one entity; `beside`: the other side's record, its own or one it shares."""

    db: Connection
    flows: Flows
    flow: Flow
    entity: Entity
    beside: str | None

    def document(self) -> Row:
        state, reason = next_step.status(self.db, self.flow, self.entity)
        parts = [self._part(part) for part in self.flow.parts]
        changes = [self._labelled(row) for row in self._rows(_CHANGES)]
        refusals = self._rows(_REFUSALS)
        candidates = self._rows(_CANDIDATES)
        open_conflicts = self._open_conflicts(changes)
        remarks = self._remarks(parts, changes, state=state)
        known = next_step.Situation(
            changes=changes,
            undecided=sum(1 for one in open_conflicts if one["decision"] is None),
            refused=bool(refusals)
            or any(row["bounces"] for row in _properties(parts))
            or any(row["hold_kind"] == HoldKind.DIFFERING for row in changes),
            refused_still=any(row["hold_kind"] == HoldKind.REFUSED for row in changes),
            waits_for=self._waits_for(parts),
            lacking=lacking(self.db, self.flows, self.flow, parts if state == "waiting" else ()),
            candidates=list(self._choices(candidates)),
            decided=self._decided(),
            remarks=remarks,
            answer_until=waits_until(
                self.db, (self.flow.name,), shop_id=self.entity.shop_id, bc_id=self.entity.bc_id
            ),
        )
        step = next_step.next_step(self.flow, self.entity, state=state, known=known)
        return {
            **parameters(self.flow, self.entity),
            "keys": self._keys(parts),
            "state": state,
            "reason": reason,
            "next_step": step,
            "remarks": remarks,
            "last_run": self._last_run(),
            "link": self._link(),
            "kept_apart": [row | {"parted_at": stamp(row["parted_at"])} for row in self._rows(_APART)],
            "candidates": candidates,
            "sides": self._sides(),
            "parts": parts,
            "differences": [one.document() for one in differences(self.db, self.flow, self._shop_ids())],
            "pending": [row for row in changes if row["hold_kind"] is None],
            "withheld": [row for row in changes if row["hold_kind"] is not None],
            "conflicts": {"open": open_conflicts, "past": conflicts(self.db, self.flow, self.entity)[::-1]},
            "refusals": [row | {"refused_at": stamp(row["refused_at"])} for row in refusals],
            "journal": writes(self.db, self.flow, self.entity)[::-1],
        }

    def _shop_ids(self) -> list[str]:
        return [self.entity.shop_id] if self.entity.shop_id else []

    def _remarks(self, parts: Sequence[Row], changes: Sequence[Row], *, state: str) -> list[str]:
        """What shows though nothing is to be written: a listed case, what differs and stays, edits too late."""
        if state != "active":
            return too_late(self.db, self.flow, self.entity) if state == "closed" else []
        listed = [
            row["reason"] for row in flagged(self.db, self.flow) if row["shop_id"] == self.entity.shop_id
        ]
        told = {row["property"] for row in changes}
        differing = [row for row in _properties(parts) if row["stays"] and row["property"] not in told]
        return listed + [
            f"{row['property']} is {row['shop_value']} in the shop and {row['bc_value']} in Business Central"
            for row in differing
        ]

    def _choices(self, candidates: Sequence[Row]) -> Iterator[Row]:
        """The records of the other side that the entity matches, without whoever else claims them."""
        side, record_id = self.entity.end
        own, other = f"{side.short}_id", f"{side.other.short}_id"
        for row in candidates:
            if row[own] == record_id and row["linked"] != side:
                name = row[other] + key_of(self.db, self.flow, side.other, row[other])
                yield {"id": row[other], "name": name, "free": row["linked"] is None}

    def _rows(self, query: str, **more: Any) -> list[Row]:
        return rows_of(self.db, query, parameters(self.flow, self.entity) | more)

    def _keys(self, parts: Sequence[Row]) -> Row:
        by_name = {row["property"]: row for row in parts[0]["records"][0]["properties"]}
        return {name: by_name[name]["shop_value"] or by_name[name]["bc_value"] for name in self.flow.found_by}

    def _last_run(self) -> Row | None:
        rows = self._rows(
            "select run_id, started_at, dry_run from run where flow = $flow and planned is not null"
            " order by started_at desc limit 1"
        )
        return next((row | {"started_at": stamp(row["started_at"])} for row in rows), None)

    def _link(self) -> Row | None:
        query = (
            "select coalesce(bc_id, shared_id) as bc_id, rule, state, linked_at from link"
            " where part = $flow and shop_id = $shop_id"
        )
        for row in self._rows(query):
            by = "the match rules" if row["rule"] in self.flow.match else "the pipeline"
            if row["rule"] == BY_HAND:
                done = self._rows(
                    "select done_by from decision where flow = $flow and shop_id = $shop_id"
                    " and action in ($action, 'attached') order by done_at desc limit 1",
                    action="linked" if row["bc_id"] else "unlinked",
                )
                by = done[0]["done_by"] if done else "unknown"
            elif row["rule"] == "created":
                by = self._created_by()
            return row | {"linked_at": stamp(row["linked_at"]), "how": how(row["rule"]), "by": by}
        return None

    def _created_by(self) -> str:
        rows = self._rows(
            "select run_id from journal where flow = $flow and part = $flow and operation = 'create'"
            " and outcome = 'done' and (root_shop_id = $shop_id or bc_id = $bc_id)"
            " order by outcome_at desc limit 1"
        )
        return f"run {rows[0]['run_id']}" if rows else "a sync"

    def _sides(self) -> Row:
        moments = ("modified_at", "fetched_at", "edited_at", "read_at", "last_written_at")
        sides: Row = {str(side): None for side in Side}
        for row in self._rows(_SIDES, bc_id=self.beside):
            sides[row.pop("side")] = row | {name: stamp(row[name]) for name in moments}
        return sides

    def _labelled(self, row: Row) -> Row:
        name = labels(self.flow, row["part"], row["shop_id"] or row["bc_id"], prop=row["property"])[0]
        return row | {"label": name}

    def _open_conflicts(self, changes: Sequence[Row]) -> list[Row]:
        decisions = {
            (row["part"], row["shop_id"], row["property"]): row
            for row in self._rows(f"select * from resolution where {OWN}")
        }
        found = []
        for row in changes:
            if row["hold_kind"] != HoldKind.MANUAL:
                continue
            shop, bc = row["before"], row["after"]
            if row["target"] == Side.BC:
                shop, bc = bc, shop
            decision = decisions.get((row["part"], row["shop_id"], row["property"]))
            valid = decision and (decision["shop_value"], decision["bc_value"]) == (shop, bc)
            document = None
            if decision and valid:
                document = {key: decision[key] for key in ("winner", "decided_by")}
                document["decided_at"] = stamp(decision["decided_at"])
            found.append({"label": row["label"], "shop_value": shop, "bc_value": bc, "decision": document})
        return found

    def _decided(self) -> str | None:
        for row in self._rows(_SINCE_LAST_RUN):
            return next_step.decided_text(row)
        return None

    def _waits_for(self, parts: Sequence[Row]) -> list[str]:
        side, _ = self.entity.end
        unlinked = [
            " ".join(prop.referred(value))
            for part in parts
            for row in _properties([part])
            if row["refers_to"] and (value := row[f"{side.short}_value"]) and not row["linked"]
            # another property than the id finds nobody
            if not (prop := self.flow.part(part["part"]).by_name[row["property"]]).told_by
            or side is Side.SHOP
        ]
        return list(dict.fromkeys(unlinked))

    def _part(self, part: Part) -> Row:
        """The records of one part: the entity's own, or its children, paired where they are linked."""
        by_side = {side: self._records(part, side) for side in Side}
        links = self._rows(
            "select shop_id, bc_id, rule, state, linked_at from link"
            " where part = $part and root_shop_id = $shop_id",
            part=part.name,
        )
        own = [(self.entity.shop_id, self.beside)]
        pairs = self._child_pairs(links, by_side) if part.parent else own
        by_pair = {(row["shop_id"], row["bc_id"]): row for row in links}
        bases = self._bases(part)
        records = []
        for shop_id, bc_id in pairs:
            shop, bc = by_side[Side.SHOP].get(shop_id or ""), by_side[Side.BC].get(bc_id or "")
            link = by_pair.get((shop_id, bc_id)) if bc_id else None
            records.append(
                {
                    "shop_id": shop_id,
                    "bc_id": bc_id,
                    "link": {"how": how(link["rule"]), "linked_at": stamp(link["linked_at"])}
                    if link
                    else None,
                    "properties": [
                        self._property(prop, shop, bc, bases.get((shop_id, prop.name)))
                        for prop in part.properties
                    ],
                }
            )
        return {"part": part.name, "records": records}

    def _child_pairs(self, links: Sequence[Row], by_side: Mapping[Side, Row]) -> list[Ids]:
        """In the shop's sequence, then what only Business Central has, then what neither has any more."""
        by_shop = {row["shop_id"]: row["bc_id"] for row in links}
        by_bc = {row["bc_id"]: row["shop_id"] for row in links}
        pairs: list[Ids] = [(key, by_shop.get(key)) for key in by_side[Side.SHOP]]
        pairs += [(by_bc.get(key), key) for key in by_side[Side.BC]]
        pairs += by_shop.items()
        return list(dict.fromkeys(pairs))

    def _records(self, part: Part, side: Side) -> dict[str, Row]:
        rows = self._rows(
            "select id, raw, canon, problems from record where part = $part and side = $side and root_id = $root"
            " and (part <> $flow or id = $root) order by position, id",
            part=part.name,
            side=side,
            root=self.entity.shop_id if side is Side.SHOP else self.beside,
        )
        return {row["id"]: row for row in rows}

    def _bases(self, part: Part) -> dict[tuple[str | None, str], Row]:
        rows = self._rows(f"select * from base where part = $part and {OWN}", part=part.name)
        return {(row["shop_id"], row["property"]): row for row in rows}

    def _property(self, prop: Property, shop: Row | None, bc: Row | None, base: Row | None) -> Row:
        """Both values, what both were when they last agreed, and whether they say the same now."""
        row: Row = {
            "property": prop.name,
            "dir": prop.dir,
            "shop_value": shop["raw"].get(prop.name) if shop else None,
            "bc_value": bc["raw"].get(prop.name) if bc else None,
            "shop_base": base["shop_value"] if base else None,
            "bc_base": base["bc_value"] if base else None,
            "agreed_at": stamp(base["agreed_at"]) if base else None,
            "bounces": base["mismatches"] if base else 0,
            "refers_to": prop.refers_to,
            "linked": None,
            "problem": None,
            "agrees": None,
        }
        for side, record in ((Side.SHOP, shop), (Side.BC, bc)):
            problem = record["problems"].get(prop.name) if record else None
            row["problem"] = f"{side}: {problem}" if problem else row["problem"]
        meant = bc["canon"].get(prop.name) if bc else None
        if prop.refers_to:
            meant, row["linked"] = meant_by(
                self.db, prop.refers_to, shop_value=row["shop_value"], bc_value=row["bc_value"]
            )
        if shop and bc and not row["problem"]:
            said, canon, before = row["shop_value"], shop["canon"].get(prop.name), row["shop_base"]
            row["agrees"] = agree(self.flow, prop, shop=canon, bc=meant, shop_raw=said, before=before)
        row["stays"] = row["agrees"] is False and not (prop.two_way or prop.only)
        return row


def _properties(parts: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for part in parts:
        for record in part["records"]:
            yield from record["properties"]

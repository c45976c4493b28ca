"""Intent before a request leaves, outcome before the next batch: what makes a crash harmless.

An outcome moves, in one transaction, everything that follows from it: the bases of the properties that were
sent, links, conflicts, refusals, and what the system answered. An intent without an outcome is settled by
looking at the target (`sinks.settling`) before anything is repeated.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from talk_pipeline.engine.bases import Confirmed, confirm, expect_recalculation
from talk_pipeline.engine.intents import Intended, Intent
from talk_pipeline.engine.projection import Projector
from talk_pipeline.engine.records import Child, Decode, Outcome, Result
from talk_pipeline.engine.refusals import keep_standing, refuse, standing_refusals
from talk_pipeline.engine.snapshots import Landing, mark_touched, merge, spool
from talk_pipeline.engine.state import Connection, insert_rows, now, transaction
from talk_pipeline.engine.units import COMPANION, Sent
from talk_pipeline.flows.properties import Side
from talk_pipeline.flows.vocabulary import Flow


def intend(db: Connection, run_id: str, intents: Sequence[Intent]) -> None:
    """Puts intents on disk; only then may their requests leave."""
    rows = []
    for intent in intents:
        main = intent.main
        details = json.dumps(
            {"root_bc_id": intent.root_bc_id}
            | asdict(main)
            | {"children": [asdict(child) for child in intent.children]}
        )
        head = (intent.intent_id, run_id, intent.flow, main.part, str(intent.target), main.operation)
        ids = (main.shop_id, main.bc_id, intent.root_shop_id, intent.natural_key)
        rows.append((*head, *ids, details, now(), None, None, None))
    with transaction(db):
        insert_rows(db, "journal", rows)


def open_intents(db: Connection, flow: str, target: Side) -> list[Intent]:
    """Requests of which it is not known whether they were carried out, oldest first."""
    rows = db.execute(
        "select intent_id, root_shop_id, natural_key, details from journal where flow = ? and target = ?"
        " and coalesce(outcome, 'unknown') = 'unknown' order by intent_at",
        [flow, target],
    ).fetchall()
    return [_restore(flow, target, *row) for row in rows]


def _restore(flow: str, target: Side, intent_id: str, root: str | None, key: str | None, text: str) -> Intent:
    details = json.loads(text)
    children = tuple(_intended(child) for child in details.pop("children"))
    root_bc_id = details.pop("root_bc_id")
    return Intent(flow, target, root, root_bc_id, _intended(details), children, key, intent_id)


def _intended(details: dict[str, Any]) -> Intended:
    sent = {name: Sent(**one) for name, one in details.pop("sent").items()}
    return Intended(sent=sent, **details)


def settle(
    db: Connection,
    projector: Projector,
    decode: Decode,
    *,
    run_id: str,
    outcomes: Sequence[tuple[Intent, Outcome]],
) -> None:
    """Puts outcomes on disk with all that follows from them, in one transaction."""
    with transaction(db):
        standing = standing_refusals(db, projector.flow, [intent.root_shop_id for intent, _ in outcomes])
        for intent, outcome in outcomes:
            if outcome.result is Result.DONE and intent.target is Side.BC and intent.root_shop_id:
                _expect(db, projector.flow, intent)
        spool(db, [outcome.record for _, outcome in outcomes if outcome.record])
        merge(db, projector, decode, landing=Landing(own=True))
        confirmed: list[Confirmed] = []
        for intent, outcome in outcomes:
            db.execute(
                "update journal set outcome = ?, reason = ?, outcome_at = ? where intent_id = ?",
                [outcome.result, outcome.reason or None, now(), intent.intent_id],
            )
            if outcome.result is Result.DONE:
                confirmed += _done(db, projector, intent, outcome=outcome)
            elif outcome.result is Result.REFUSED:
                refuse(db, projector.flow, intent, reason=outcome.reason)
        confirm(db, projector, run_id=run_id, confirmed=confirmed)
        keep_standing(db, projector.flow, standing)


def _expect(db: Connection, flow: Flow, intent: Intent) -> None:
    sent = [name for name, one in intent.main.sent.items() if one.rule != COMPANION]
    expect_recalculation(
        db,
        flow,
        target=intent.target,
        part=intent.main.part,
        root_shop_id=intent.root_shop_id or "",
        sent=sent,
    )


def _done(db: Connection, projector: Projector, intent: Intent, *, outcome: Outcome) -> list[Confirmed]:
    """Links and children that a successful request made; returns what it confirmed."""
    main, target = intent.main, intent.target
    is_root = main.part == intent.flow
    if not is_root:
        return _child_done(db, projector, intent, child=outcome.child)
    record = outcome.record
    new_id = record.id if record else None
    if main.operation == "create" and new_id:
        main = _with_id(main, target, key=new_id)
        assert main.shop_id is not None
        assert main.bc_id is not None
        row = (main.part, main.shop_id, main.bc_id, main.shop_id, "created", "active", now())
        insert_rows(db, "link", [row])
        mark_touched(db, intent.flow, Side.SHOP, ids=[main.shop_id])
    confirmed = [
        Confirmed(main.part, main.shop_id or "", main.bc_id or "", target, main.operation, main.sent)
    ]
    root_id = main.shop_id if target is Side.SHOP else main.bc_id
    root_shop_id = main.shop_id or ""
    fresh = _fresh_children(db, projector, root_id=root_id or "") if intent.children else {}
    for child in intent.children:
        if child.operation == "delete":
            _drop_child(db, child)
            continue
        if child.operation == "create":
            key = next(fresh.get(child.part, iter(())), None)
            linked = _link_child(db, projector, child, target=target, key=key, root_shop_id=root_shop_id)
            if linked is None:
                continue
            child = linked
        confirmed.append(
            Confirmed(child.part, child.shop_id or "", child.bc_id or "", target, child.operation, child.sent)
        )
    return confirmed


def _child_done(
    db: Connection, projector: Projector, intent: Intent, *, child: Child | None
) -> list[Confirmed]:
    main, target = intent.main, intent.target
    root_id = (intent.root_shop_id if target is Side.SHOP else intent.root_bc_id) or ""
    if main.operation == "delete":
        _drop_child(db, main)
        key = main.shop_id if target is Side.SHOP else main.bc_id
        db.execute("delete from record where part = ? and side = ? and id = ?", [main.part, target, key])
        return []
    if child is not None:
        row = projector.project_child(projector.flow.part(main.part), root_id, child)
        db.execute("delete from record where part = ? and side = ? and id = ?", [row.part, target, row.id])
        insert_rows(db, "record", [row.row()])
        if main.operation == "create":
            main = _with_id(main, target, key=row.id)
            link = (main.part, main.shop_id, main.bc_id, intent.root_shop_id, "created", "active", now())
            insert_rows(db, "link", [link])
    if main.shop_id is None or main.bc_id is None:
        return []
    return [Confirmed(main.part, main.shop_id, main.bc_id, target, main.operation, main.sent)]


def _fresh_children(db: Connection, projector: Projector, *, root_id: str) -> dict[str, Any]:
    """Children of an answered record that no link knows, in their order, by part."""
    own = "shop_id" if projector.side is Side.SHOP else "bc_id"
    rows = db.execute(
        f"select r.part, r.id from record r left join link l on l.part = r.part and l.{own} = r.id"
        " where r.side = ? and r.root_id = ? and r.part <> ? and l.part is null order by r.position",
        [projector.side, root_id, projector.flow.name],
    ).fetchall()
    parts = {part.name for part in projector.flow.parts[1:]}
    return {part: iter([key for name, key in rows if name == part]) for part in parts}


def _link_child(
    db: Connection,
    projector: Projector,
    child: Intended,
    *,
    target: Side,
    key: str | None,
    root_shop_id: str,
) -> Intended | None:
    """Links a created child to the next new one of the answer, once its match value proves it is that one."""
    if key is None:
        return None
    prop = projector.flow.part(child.part).match[0]
    row = db.execute(
        "select raw[?] from record where part = ? and side = ? and id = ?", [prop, child.part, target, key]
    ).fetchone()
    if row is None or row[0] != child.sent[prop].sent:
        return None
    child = _with_id(child, target, key=key)
    link = (child.part, child.shop_id, child.bc_id, root_shop_id, "created", "active", now())
    insert_rows(db, "link", [link])
    return child


def _drop_child(db: Connection, child: Intended) -> None:
    db.execute("delete from link where part = ? and shop_id = ?", [child.part, child.shop_id])
    for table in ("base", "sighting"):
        db.execute(f"delete from {table} where part = ? and shop_id = ?", [child.part, child.shop_id])


def _with_id(one: Intended, side: Side, *, key: str) -> Intended:
    shop_id, bc_id = (key, one.bc_id) if side is Side.SHOP else (one.shop_id, key)
    return Intended(one.part, one.operation, shop_id, bc_id, one.sent)

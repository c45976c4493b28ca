"""Permanent refusals, bound to the version of the data that was refused.

What was refused is not asked again until the data, a record it refers to, the flow's definition or the description
of either system changes; our own writes of the same record are no such change.
"""

from collections.abc import Sequence

from talk_pipeline.engine.kinds import HoldKind, RefusalKind
from talk_pipeline.engine.match.outdated import FROM_BC, fingerprint
from talk_pipeline.engine.match.workspace import Fingerprinted
from talk_pipeline.engine.model import Intended, Intent, Outcome, RefusedValue, Result
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import insert
from talk_pipeline.engine.state.tables import RefusalRow
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow

OF_RECORD = f"root_shop_id = coalesce($shop_id, '{FROM_BC}' || $bc_id)"
"""Which refusals are of a record, whichever sides it is on."""


def withhold_refused(db: Connection, flow: Flow) -> None:
    """What was refused for this very version of the data is not asked again."""
    db.execute(
        f"""
        update change set hold_kind = '{HoldKind.REFUSED}', hold_reason = r.reason
        from refusal r
        where change.flow = $flow and change.hold_kind is null
          and r.part = change.part and r.target = change.target
          and r.record_id = coalesce(change.shop_id, change.bc_id)
          and list_contains(r.properties, change.property)
        """,
        {"flow": flow.name},
    )


def refusals_in_force(db: Connection, flow: Flow, roots: Sequence[str | None]) -> list[str]:
    """Shop ids of the records with refusals that still stand, before answers to our own writes land."""
    known = db.execute(
        "select distinct root_shop_id from refusal where flow = ?"
        " and root_shop_id in (select unnest(?::varchar[]))",
        [flow.name, [root for root in roots if root]],
    ).fetchall()
    if not known:
        return []
    now_is = fingerprint(db, flow, [row[0] for row in known])
    rows = db.execute(
        f"select distinct r.root_shop_id from refusal r join {now_is.NAME} f"
        " using (root_shop_id, fingerprint) where r.flow = ?",
        [flow.name],
    ).fetchall()
    return [row[0] for row in rows]


def keep_in_force(db: Connection, flow: Flow, roots: Sequence[str]) -> None:
    """Binds the refusals of these records to the data as our own writes left it."""
    if roots:
        now_is = fingerprint(db, flow, roots)
        db.execute(
            f"update refusal set fingerprint = f.fingerprint from {now_is.NAME} f"
            " where refusal.flow = ? and refusal.root_shop_id = f.root_shop_id",
            [flow.name],
        )


def hold_back(db: Connection, flow: Flow, *, shop_ids: Sequence[str], reason: str) -> None:
    """Refuses the creates of shop records ourselves, as long as their data stay as they are."""
    mains = [Intended(flow.name, "create", shop_id, None, {}) for shop_id in shop_ids]
    outcome = Outcome(Result.REFUSED, reason=reason)
    refuse(db, flow, [(Intent(flow.name, Side.BC, main.shop_id, None, main), outcome) for main in mains])


def ask_again(db: Connection, flow: Flow, side: Side) -> None:
    """Forgets what a side refused because of some other record, which may have come to be right meanwhile."""
    db.execute("delete from refusal where flow = ? and target = ? and about_another", [flow.name, str(side)])


def refuse(db: Connection, flow: Flow, refused: Sequence[tuple[Intent, Outcome]]) -> None:
    """Binds permanent refusals to what was refused, for this version of the data."""
    if not refused:
        return
    roots = [intent.root_shop_id or f"{FROM_BC}{intent.root_bc_id}" for intent, _ in refused]
    now_is = fingerprint(db, flow, roots)
    known = dict(db.execute(f"select root_shop_id, fingerprint from {now_is.NAME}").fetchall())
    rows = [
        RefusalRow(
            flow=intent.flow,
            part=one.part,
            target=intent.target,
            root_shop_id=root,
            record_id=one.shop_id or one.bc_id or "",
            properties=[
                prop.name
                for prop in flow.part(one.part).properties
                if one.operation != "update" or prop.name in one.sent
            ],
            fingerprint=known.get(root, ""),
            reason=outcome.reason,
            refused_at=now(),
            about_another=outcome.about_another,
            refusal_kind=outcome.refusal,
        )
        for root, (intent, outcome) in zip(roots, refused, strict=True)
        for one in (intent.main, *intent.children)
    ]
    insert(db, rows)


# the rows of refuse() for values; what they belong to is known by now, and so is the data they were refused in
_VALUES = f"""
insert into refusal (flow, part, target, root_shop_id, record_id, properties, fingerprint, reason, refused_at,
  about_another, refusal_kind)
select $flow, k.part, k.target, k.root_shop_id, k.shop_id, [k.property], coalesce(f.fingerprint, ''), k.reason,
       $at, false, '{RefusalKind.REFUSED}'
from (select unnest($parts::varchar[]) as part, unnest($targets::varchar[]) as target,
             unnest($roots::varchar[]) as root_shop_id, unnest($shop_ids::varchar[]) as shop_id,
             unnest($properties::varchar[]) as property, unnest($reasons::varchar[]) as reason) k
left join {Fingerprinted.NAME} f on f.root_shop_id = k.root_shop_id
"""


def refuse_values(db: Connection, flow: Flow, values: Sequence[RefusedValue]) -> None:
    """Binds what a side did not take or did not keep to this version of the data, a refusal a property."""
    if not values:
        return
    places = [[one.part for one in values], [one.shop_id for one in values]]
    rows = db.execute(
        "select part, shop_id, root_shop_id from link"
        " where (part, shop_id) in (select (unnest(?::varchar[]), unnest(?::varchar[])))",
        places,
    ).fetchall()
    roots = {(part, shop_id): root for part, shop_id, root in rows}
    linked = [one for one in values if (one.part, one.shop_id) in roots]
    fingerprint(db, flow, list(roots.values()))
    db.execute(
        _VALUES,
        {
            "flow": flow.name,
            "at": now(),
            "parts": [one.part for one in linked],
            "targets": [str(one.target) for one in linked],
            "roots": [roots[one.part, one.shop_id] for one in linked],
            "shop_ids": [one.shop_id for one in linked],
            "properties": [one.name for one in linked],
            "reasons": [one.reason for one in linked],
        },
    )

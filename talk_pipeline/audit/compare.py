"""Every record and property of a flow judged: it agrees, differs for a reason on record, or nobody explains it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb

from talk_pipeline.audit.canonical import canonical, same, tidy
from talk_pipeline.audit.reader import Row, Shop
from talk_pipeline.audit.wire import Words

Pair = tuple[Row | None, Row | None]
SHOP, BC = "customwebshop", "businesscentral"
# the reasons on record, by record or line and property: '' any of them, * all, = what follows from the others
_REASONS = """
select part, id, unnest([property, '']), coalesce(hold_kind || ': ' || hold_reason, 'planned, and not written yet')
from (select *, unnest([shop_id, bc_id]) as id from change where flow = $flow)
union all select flow, unnest([root_shop_id, root_bc_id]), '=', 'changes of it wait' from change where flow = $flow
union all select part, record_id, unnest(properties), 'refused: ' || reason from refusal where flow = $flow
union all select flow, unnest([root_shop_id, root_bc_id]), '*', 'sent, and not answered yet' from journal
  where flow = $flow and coalesce(outcome, 'unknown') = 'unknown'
union all select flow, shop_id, if(state in ('closed', 'held', 'broken', 'excluded'), '*', '='),
  state || ': ' || reason from status where flow = $flow
union all select flow, unnest([shop_id, bc_id]), '=', 'ambiguous: ' || property from candidate where flow = $flow
"""
_BASES = (
    "select part, shop_id, property, shop_value, bc_value from base where split_part(part, '.', 1) = $flow"
)
_SNAPSHOT = "select part, id, raw[?] from record where part = ?"
_LINKS = "select part, shop_id, bc_id, state, rule, root_shop_id, shared_id from link"


class Finding(NamedTuple):
    """What does not agree; without a property it is the record or line as a whole; `name` is the record's key."""

    part: str
    name: str | None
    property: str
    shop_id: str | None
    bc_id: str | None
    what: str
    shop: str | None
    bc: str | None
    reason: str | None  # None: unexplained


@dataclass(slots=True)
class Judged:
    """One flow, counted."""

    flow: str
    records: int = 0
    properties: int = 0
    agree: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def unexplained(self) -> list[Finding]:
        """What nobody explains."""
        return [one for one in self.findings if one.reason is None]

    def counts(self) -> dict[str, int]:
        """How much was looked at, and what was found; records and lines as a whole are among the findings."""
        unexplained = len(self.unexplained)
        explained = len(self.findings) - unexplained
        told = {"records": self.records, "properties": self.properties, "agree": self.agree}
        return told | {"differ_with_reason": explained, "unexplained": unexplained}


class Auditor:
    """Judges one flow; `company` is its currency and time zone, `db` what the pipeline has on record."""

    def __init__(
        self, flow: Words, shop: Shop, company: tuple[str, ZoneInfo], db: duckdb.DuckDBPyConnection
    ) -> None:
        self._flow, self._shop, self._company, self._name = flow, shop, company, str(flow["flow"])
        self._settings, self._judged = flow.get("settings", {}), Judged(self._name)
        self._properties = {_name(prop): prop for prop in flow["properties"]}

        def rows(sql: str) -> list[Any]:
            return db.execute(sql, {"flow": self._name} if "$flow" in sql else None).fetchall()

        self._reasons = {(part, key, name): why for part, key, name, why in rows(_REASONS) if key}
        self._bases = {(part, key, name): raw for part, key, name, *raw in rows(_BASES)}
        self._links, self._shop_ids = defaultdict[tuple[str, str | None], list[Any]](list), {}
        shared = dict[tuple[str, str], str]()
        for part, shop_id, bc_id, state, rule, root, other in rows(_LINKS):
            self._links[part, root if "." in part else None].append((shop_id, bc_id, state, rule))
            self._shop_ids[part, bc_id if state == "active" else None] = shop_id
            if other:
                shared[part, shop_id] = other
        # several of the shop may be one in Business Central: each stands for the one that is linked with it
        self._meant = {key: self._shop_ids.get((key[0], one), f"?{one}") for key, one in shared.items()}
        seen = rows("select side, id, modified_at from snapshot where flow = $flow")
        self._modified = {(side, key): modified for side, key, modified in seen}
        parts = {self._name: flow["properties"]}
        parts |= {f"{self._name}.{name}": one["properties"] for name, one in flow.get("children", {}).items()}
        told = [
            (part, _name(prop))
            for part, of in parts.items()
            for prop in of
            if prop.get("only") or prop["dir"] == "="
        ]
        shown = [(name, db.execute(_SNAPSHOT, [name, part]).fetchall()) for part, name in told]
        self._snapshot = {(part, key, name): value for name, found in shown for part, key, value in found}
        self._watermarks = dict(rows("select side, modified_at from watermark where flow = $flow"))

    def judge(self, shop: Mapping[str, Row], bc: Mapping[str, Row], posted: set[str]) -> Judged:
        """All records of both systems; `posted` are those that Business Central knows by what they became."""
        there = {SHOP: [row for row in shop.values() if not row.deleted], BC: list(bc.values())}
        self._keys = defaultdict[tuple[str, str, str | None], list[Row]](list)
        for side, rows in there.items():
            for name in {*self._flow["match"], self._flow["create_key"]} & set(self._properties):
                for row in rows:
                    self._keys[side, name, self._canonical(side, self._properties[name], row)].append(row)
        links = self._links[self._name, None]
        for shop_id, bc_id, state, rule in links:
            left, right = shop.get(shop_id), bc.get(bc_id)
            if state == "active" and left and right and not left.deleted:
                self._pair(left, right, rule)
            elif state == "active" or (state == "closed" and left and bc_id not in posted):
                why = "posted, and not noticed yet" if left and not left.deleted and bc_id in posted else None
                self._report(
                    (left, right), "the other of the pair is not there", ids=(shop_id, bc_id), why=why
                )
        linked = {shop_id for shop_id, *_ in links}
        for row in there[SHOP]:
            if row.id not in linked:
                self._report((row, None), "has no counterpart")
        key = self._flow["create_key"]
        for (side, name, value), rows in self._keys.items():
            if name == key and value and len(rows) > 1 and self._keys.get((SHOP, key, value)):
                owners = [
                    self._reasons.get((self._name, row.id, "="))
                    for row in self._keys[SHOP, key, value] + rows
                ]
                for row in rows:
                    pair = (row, None) if side == SHOP else (None, row)
                    self._report(
                        pair, f"one of {len(rows)} with this key", why=next(filter(None, owners), None)
                    )
        self._judged.records = len(there[SHOP])
        return self._judged

    def _pair(self, shop: Row, bc: Row, rule: str) -> None:
        for name in self._flow["match"]:
            key = self._canonical(SHOP, self._properties[name], shop)
            others = [row.id for row in self._keys.get((BC, name, key), ())] if key else []
            if others and bc.id not in others and rule != "by hand":
                self._report((shop, bc), f"linked, though its {name} is that of {others[0]}", raw=(key, None))
            if others:
                break
        for prop in self._flow["properties"]:
            self._property(self._name, prop, "", (shop, bc), (shop, bc), rule)
        for name, child in self._flow.get("children", {}).items():
            part, lists = f"{self._name}.{name}", (child["customwebshop"], name)
            left, right = (
                {one.id: one for one in row.lines[of] if self._counts(child, side, one)}
                for side, row, of in zip((SHOP, BC), (shop, bc), lists, strict=True)
            )
            for shop_id, bc_id, *_ in self._links[part, shop.id]:
                lines = left.pop(shop_id, None), right.pop(bc_id, None)
                if all(lines):
                    for prop in child["properties"]:
                        self._property(part, prop, lists[0], (shop, bc), lines, rule)
                elif any(lines):
                    self._report((shop, bc), "a line is at one side only", part, ids=(shop_id, bc_id))
            for line in (*left.values(), *(right.values() if self._shop.takes(lists[0]) else ())):
                ids = (line.id, None) if line.id in left else (None, line.id)
                self._report((shop, bc), "a line is at one side only", part, ids=ids)

    def _counts(self, child: Words, side: str, line: Row) -> bool:
        """Whether there is one at all: an amount that is blank or zero may say that there is none."""
        told = next((prop for prop in child["properties"] if _name(prop) == child.get("there_by")), None)
        return told is None or (self._canonical(side, told, line) or "0") != "0"

    def _property(self, part: str, prop: Words, lines: str, roots: Pair, pair: Pair, rule: str) -> None:
        (shop, bc), kind, name, way = pair, prop["type"], _name(prop), self._way(prop, lines)
        if way == "-" or shop is None or bc is None:
            return
        self._judged.properties += 1
        raw = self._raw(SHOP, prop, shop), self._raw(BC, prop, bc)
        left, right = self._canonical(SHOP, prop, shop), self._canonical(BC, prop, bc)
        within = str(self._settings.get("tolerance", 0)) if way == "=" else None
        base = self._bases.get((part, shop.id, name))
        why, what = None, "differs"
        agrees = {"->": left, "<-": right}.get(way, "") is None or raw[0] in prop.get("keep", ())
        agrees = agrees or (left is None and prop.get("blank_keeps") == "true")
        if agrees or same(kind, left, right, within):
            held = base and (
                self._canonical(SHOP, prop, shop, base[0]),
                base[1] if _derived(prop) else self._canonical(BC, prop, bc, base[1]),
            )
            if not held or way != "<->" or (same(kind, left, held[0]) and same(kind, held[1], right)):
                self._judged.agree += 1
                return
            what = f"both agree, and are on record with {' and '.join(map(repr, base or ()))}"
        elif base and tuple(base) == (raw[0], right if _derived(prop) else raw[1]):
            why = "on record as it is, since they met or last agreed"
        elif way == "=" or prop.get("only"):
            ids = [(self._name, row and row.id, "=") for row in roots]
            why = next(filter(None, map(self._reasons.get, ids)), None)
            if (
                self._snapshot.get((part, shop.id, name)) == raw[0]
                and self._snapshot.get((part, bc.id, name)) == raw[1]
            ):
                why = why or "never written to an existing record, and known"
        self._report(roots, what, part, name, (shop.id, bc.id), raw, why)

    def _report(
        self,
        roots: Pair,
        what: str,
        part: str = "",
        name: str = "",
        ids: Any = None,
        raw: Any = (None, None),
        why: str | None = None,
    ) -> None:
        """A finding, with the reason on record if there is one."""
        ids, key = ids or tuple(row and row.id for row in roots), self._properties[self._flow["create_key"]]
        late = [
            side for side, row in zip((SHOP, BC), roots, strict=True) if row and self._is_newer(side, row)
        ]
        asked = [(part or self._name, one, name) for one in ids]
        asked += [(self._name, row.id, "*") for row in roots if row] + [(self._name, one, "*") for one in ids]
        asked += [] if part else [(self._name, one, "=") for one in ids]
        why = why or next(filter(None, map(self._reasons.get, asked)), None)
        why = why or (f"changed in {late[0]} since the last run" if late else None)
        called = next(
            (self._raw(side, key, row) for side, row in zip((SHOP, BC), roots, strict=True) if row), None
        )
        self._judged.findings.append(
            Finding(part or self._name, called, name, ids[0], ids[1], what, raw[0], raw[1], why)
        )

    def _is_newer(self, side: str, row: Row) -> bool:
        mark, seen = self._watermarks.get(side), self._modified.get((side, row.id))
        return row.modified is not None and row.modified != seen and (mark is None or row.modified >= mark)

    def _way(self, prop: Words, lines: str) -> str:
        """How a property travels with this shop: not at all where it has none, one way where it takes none."""
        told = [one for path in _paths(prop) if (one := self._shop.field(path, lines)) is not None]
        if _paths(prop) and not told:
            return "-"
        taken = self._shop.takes(lines) and all(
            one.get("write") != "false" and "const" not in one for one in told
        )
        return str(prop["dir"]) if taken else {"<->": "->", "<-": "-"}.get(prop["dir"], str(prop["dir"]))

    def _raw(self, side: str, prop: Words, row: Row) -> str | None:
        if side == BC:
            return tidy(row.values.get(prop.get("bc", "")))
        raw = filter(None, (tidy(row.values.get(path)) for path in _paths(prop)))
        return next(raw, None) if _paths(prop) else self._settings["constants"][_name(prop)]

    def _canonical(self, side: str, prop: Words, row: Row, raw: Any = ...) -> str | None:
        """What a record says, or raw, in the form that is compared: in the shop's words."""
        raw = self._raw(side, prop, row) if raw is ... else raw
        kind, (lcy, zone) = prop["type"], self._company
        words = {bc: shop for shop, bc in prop.get("values", {}).items()} | dict(prop.get("reads", {}))
        if side == BC:
            raw = words.get(raw or "", raw and f"{raw} (none of the words)") if words else raw
            if kind.startswith("reference") and raw:
                raw = self._shop_ids.get((kind[10:-1], raw), f"?{raw}")
            whole = prop.get("when_all", {})
            counts = (
                [
                    [Decimal(line.values[one] or 0) for one in whole["equal"]]
                    for line in row.lines.get(whole["children"], ())
                ]
                if whole
                else []
            )
            raw = whole["gives"] if counts and all(one == other > 0 for one, other in counts) else raw
        else:
            raw = self._meant.get((kind[10:-1], raw), raw) or prop.get("blank")
            foreign = tidy(row.values.get(prop.get("in_currency", "")))
            if foreign and foreign.upper() != lcy:
                return f"{raw} {foreign}"
        country = self._raw(side, self._properties[prop["country"]], row) if "country" in prop else None
        return canonical(kind, raw, currency=lcy, zone=zone, country=country)


def _derived(prop: Words) -> bool:
    return "when_all" in prop or "when_closed" in prop  # kept in canonical form


def _paths(prop: Words) -> list[str]:
    return [path.strip() for path in prop["shop"].split("|")] if "shop" in prop else []


def _name(prop: Words) -> str:
    return str(prop.get("name") or _paths(prop)[0])

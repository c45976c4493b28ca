"""The tables of the state as declared types: a field a column, in words of the schema beside it (`schema.sql`).

A row is inserted and read by these names, so that no code knows in which order the columns stand. Tables that only
SQL fills have no declaration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from talk_pipeline.engine.kinds import HoldKind, LinkState, RefusalKind, Status
from talk_pipeline.engine.model import Operation
from talk_pipeline.engine.state.rows import Row
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class WatermarkRow(Row):
    """How far a side of a flow has been read."""

    TABLE: ClassVar[str] = "watermark"
    flow: str
    side: Side
    modified_at: datetime | None
    fetched_at: datetime | None
    full_at: datetime | None
    complete: bool
    problem: str | None
    skew_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalRow(Row):
    """What can only be if a system was restored from a backup."""

    TABLE: ClassVar[str] = "reversal"
    flow: str
    side: Side
    id: str
    kind: str
    known_at: datetime | None
    shown_at: datetime | None
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow(Row):
    """A pair, one side of a pair that was taken apart by hand, or who shares what another one is linked with."""

    TABLE: ClassVar[str] = "link"
    part: str
    shop_id: str
    bc_id: str | None
    root_shop_id: str
    rule: str
    state: LinkState
    linked_at: datetime
    met_at: datetime | None = None
    shared_id: str | None = None
    called: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRow(Row):
    """What both sides held of a property when they last agreed."""

    TABLE: ClassVar[str] = "base"
    part: str
    shop_id: str
    property: str
    shop_value: Value
    bc_value: Value
    mismatches: int
    resend: Side | None
    agreed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRow(Row):
    """A pair that may be one, among others; `linked`: the side whose record belongs to a pair already."""

    TABLE: ClassVar[str] = "candidate"
    flow: str
    shop_id: str
    bc_id: str
    property: str
    linked: Side | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictRow(Row):
    """A conflict that was decided, with both values: the loser is never lost."""

    TABLE: ClassVar[str] = "conflict"
    flow: str
    part: str
    shop_id: str
    bc_id: str
    property: str
    rule: str
    winner: Side
    shop_value: Value
    bc_value: Value
    shop_edited_at: datetime | None
    bc_edited_at: datetime | None
    shop_version: str | None
    bc_version: str | None
    run_id: str
    recorded_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow(Row):
    """The state of a shop record that is not simply in step."""

    TABLE: ClassVar[str] = "status"
    flow: str
    shop_id: str
    state: Status
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow(Row):
    """One property to be written, and why not now."""

    TABLE: ClassVar[str] = "change"
    flow: str
    part: str
    target: Side
    operation: Operation
    shop_id: str | None
    bc_id: str | None
    root_shop_id: str | None
    root_bc_id: str | None
    property: str
    before: Value
    after: Value
    base: Value
    rule: str
    conflict: bool
    hold_kind: HoldKind | None = None
    hold_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRow(Row):
    """A permanent refusal of a record's or child's properties, for one version of the data."""

    TABLE: ClassVar[str] = "refusal"
    flow: str
    part: str
    target: Side
    root_shop_id: str
    record_id: str
    properties: Sequence[str]
    fingerprint: str
    reason: str
    refused_at: datetime
    about_another: bool
    refusal_kind: RefusalKind


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow(Row):
    """One request, before it leaves."""

    TABLE: ClassVar[str] = "journal"
    intent_id: str
    run_id: str
    flow: str
    part: str
    target: Side
    operation: Operation
    shop_id: str | None
    bc_id: str | None
    root_shop_id: str | None
    root_bc_id: str | None
    natural_key: str | None
    intent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalChildRow(Row):
    """A child that goes along in a request."""

    TABLE: ClassVar[str] = "journal_child"
    intent_id: str
    place: int
    part: str
    operation: Operation
    shop_id: str | None
    bc_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalValueRow(Row):
    """A value on its way."""

    TABLE: ClassVar[str] = "journal_value"
    intent_id: str
    place: int
    property: str
    source: Value
    sent: Value
    before: Value
    rule: str
    conflict: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalculationRow(Row):
    """A value that the receiver works out anew by itself when it carries out a request."""

    TABLE: ClassVar[str] = "recalculation"
    intent_id: str
    part: str
    shop_id: str
    property: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRow(Row):
    """A value of a request with the record or child it belongs to; without a property where that has no values."""

    TABLE: ClassVar[str] = "written"
    intent_id: str
    run_id: str
    flow: str
    target: Side
    root_shop_id: str | None
    root_bc_id: str | None
    intent_at: datetime
    outcome: str | None
    place: int
    part: str
    operation: Operation
    shop_id: str | None
    bc_id: str | None
    property: str | None
    source: Value
    sent: Value
    before: Value
    rule: str | None
    conflict: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApartRow(Row):
    """A pair that the rules never make."""

    TABLE: ClassVar[str] = "apart"
    flow: str
    shop_id: str
    bc_id: str
    held: bool
    parted_at: datetime
    parted_by: str
    never: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionRow(Row):
    """A person's word on an open conflict."""

    TABLE: ClassVar[str] = "resolution"
    part: str
    shop_id: str
    property: str
    winner: Side
    shop_value: Value
    bc_value: Value
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow(Row):
    """What a person did by hand."""

    TABLE: ClassVar[str] = "decision"
    flow: str
    action: str
    shop_id: str | None
    bc_id: str | None
    details: Mapping[str, object]
    done_by: str
    done_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow(Row):
    """A run, as far as it concerns one flow.

    Attributes:
        problem: what broke it off, None where nothing did.
        stopped_by: the blocking check that stopped it; `stopped` says why.
        undoes: the run whose updates it puts back.
    """

    TABLE: ClassVar[str] = "run"
    run_id: str
    flow: str
    started_at: datetime
    full_scan: bool
    dry_run: bool
    planned: int | None = None
    ended_at: datetime | None = None
    problem: str | None = None
    stopped_by: str | None = None
    stopped: str | None = None
    undoes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRow(Row):
    """How long a stage of a run took."""

    TABLE: ClassVar[str] = "stage"
    run_id: str
    flow: str
    name: str
    seconds: float
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResultRow(Row):
    """What a check found when it ran last."""

    TABLE: ClassVar[str] = "check_result"
    run_id: str
    flow: str
    name: str
    passed: bool
    severity: Literal["ERROR", "WARN"]
    summary: str
    found: int
    rows: str
    checked_at: datetime

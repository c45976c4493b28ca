"""Findings that hold until something is written: on large books to look for them again costs more than all else.

What lasts is kept as the checklist's verdict, and a fact of the state names it. The connection takes that fact
away with the first statement that writes what a finding may hang on (`engine/state/content.py`), in the same
transaction, and with the opening of a file that is not as it was left (`engine/state/left.py`). A full scan writes
in any case.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import duckdb

from talk_pipeline.engine.report.findings import Check, CheckContext, Finding
from talk_pipeline.engine.report.run_summary import check_results, record_check_results
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.content import FORGET, FOUND
from talk_pipeline.engine.state.meta import forget_meta, get_meta, set_meta
from talk_pipeline.flows.vocabulary import Flow

_PACKAGE = Path(__file__).parents[2]
_SOURCES = (file for name in ("engine", "flows") for file in (_PACKAGE / name).rglob("*"))
CODE = hashlib.sha256(
    b"".join(file.read_bytes() for file in sorted(_SOURCES) if file.suffix in (".py", ".sql"))
).hexdigest()
"""That by which anything is found, as it is loaded here: it may differ in two installations of one release."""
_NOTED = """
select coalesce(string_agg(key || '=' || value, ' ' order by key), '') from meta
where starts_with(key, 'stand_in:') or starts_with(key, 'told_by:')
"""


def find(context: CheckContext, checks: Sequence[Check]) -> list[tuple[Check, Finding]]:
    """What checks find, each looked for unless it holds still; kept as the last verdicts of their flow."""
    db, flow = context.db, context.flow
    lasting = {check.key for check in checks if check.lasts and db.keeps_findings}
    basis = _basis(db, flow) if lasting else ""
    if context.dry_run:  # it finds what it would be once the plan is carried out
        db.execute(FORGET)
    held = _holding(db, flow, basis) if lasting else {}
    complete = lasting <= held.keys()
    if not complete:
        forget_meta(db, FOUND + flow.name)  # until all of it is on record
    listed = [(check, held.get(check.key) or check.run(context)) for check in checks]
    record_check_results(db, flow.name, run_id=context.run_id, findings=listed)
    if not complete and not context.dry_run:
        set_meta(db, FOUND + flow.name, " ".join((basis, *sorted(lasting | held.keys()))))
        db.findings_kept()
    return listed


def _holding(db: Connection, flow: Flow, basis: str) -> dict[str, Finding]:
    """The findings of a flow that hold, by the check's key."""
    on, *names = (get_meta(db, FOUND + flow.name) or "none").split()
    results = check_results(db, flow.name) if on == basis else {}
    return {name: results[name].finding for name in names if name in results}


def _basis(db: Connection, flow: Flow) -> str:
    """What else a finding hangs on: how the flow is declared, what is noted of references, who found it."""
    row = db.execute(_NOTED).fetchone()
    said = (CODE, duckdb.__version__, flow.fingerprint, str(row[0]) if row else "")
    return hashlib.sha256(" ".join(said).encode()).hexdigest()

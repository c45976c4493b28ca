"""What is kept of the past, and for how long: the journal, conflicts, decisions, runs, and what checks found.

What has no outcome yet, or waits for a person to take note of it, is never too old, nor is a create of which a
person has to say what it became; of each flow the last run stays whole. Links, bases and what both systems hold
are the present, and have no age.
"""

from datetime import datetime

from talk_pipeline.engine.kinds import RefusalKind
from talk_pipeline.engine.state.connection import Connection, transaction

_LAST_RUNS = """
select run_id from (select run_id, row_number() over (partition by flow order by started_at desc) as nth from run)
where nth = 1
"""

_CONCLUDED = f"""
select intent_id from journal
where not is_open(outcome) and coalesce(outcome_at, intent_at) < $before and run_id not in ({_LAST_RUNS})
  -- what a create may have become is known by what was sent
  and not (operation = 'create' and exists (
    select 1 from refusal r where r.part = journal.part and r.target = journal.target
      and r.refusal_kind = '{RefusalKind.OUTCOME_UNKNOWN}'
      and r.record_id = case journal.target when 'businesscentral' then journal.shop_id else journal.bc_id end))
"""

# in this order: what belongs to a row goes before the row that tells its age
_OLD = {
    "journal_value": f"delete from journal_value where intent_id in ({_CONCLUDED})",
    "journal_child": f"delete from journal_child where intent_id in ({_CONCLUDED})",
    "recalculation": f"delete from recalculation where intent_id in ({_CONCLUDED})",
    "journal": f"delete from journal where intent_id in ({_CONCLUDED})",
    "conflict": f"delete from conflict where acknowledged_at < $before and run_id not in ({_LAST_RUNS})",
    "loss": "delete from loss where acknowledged_at < $before",
    "check_result": f"delete from check_result where checked_at < $before and run_id not in ({_LAST_RUNS})",
    # a decision that still holds stays with who made it, and who was forgotten is known again by an older backup
    "decision": """
delete from decision d where done_at < $before and action <> 'forgotten'
  and not exists (select 1 from link l where l.part = d.flow and l.shop_id = d.shop_id and l.rule = 'by hand')
  and not exists (select 1 from apart a where a.flow = d.flow and a.shop_id = d.shop_id)
""",
    "stage": f"""
delete from stage where run_id not in ({_LAST_RUNS})
  and run_id not in (select run_id from run where started_at >= $before)
""",
    "run": f"delete from run where started_at < $before and run_id not in ({_LAST_RUNS})",
}


def prune(db: Connection, *, before: datetime) -> int:
    """Removes what is older, all of it or nothing; returns how many rows.

    Args:
        db: the state.
        before: UTC without an offset.
    """
    removed = 0
    with transaction(db):
        for statement in _OLD.values():
            row = db.execute(statement, {"before": before}).fetchone()
            removed += int(row[0]) if row else 0
    return removed

"""The check of numbers before a record is there: whether what is to be created comes to what the shop says."""

from collections.abc import Iterator

from talk_pipeline.engine.plan.totals import composed_properties, differences, to_be_created
from talk_pipeline.engine.report.agreement import LISTED_ROWS
from talk_pipeline.engine.report.findings import Check, CheckContext, Finding, in_words
from talk_pipeline.flows.vocabulary import Flow


def totals_checks(flow: Flow) -> Iterator[Check]:
    """One for a flow that says what some numbers are made of."""
    if composed_properties(flow):
        yield Check(
            "totals_before_create",
            "What is to be created comes to the totals that the shop states",
            "sync",
            _as_stated,
        )


def _as_stated(context: CheckContext) -> Finding:
    """Of what is planned or held; what was created is compared with what Business Central made of it."""
    flow = context.flow
    found = list(differences(context.db, flow, to_be_created(context.db, flow)))
    held = "held" if flow.settings.hold_if_totals_differ else "not held"
    rows = tuple(
        {
            "shop_id": one.shop_id,
            "property": one.prop,
            "shop_value": one.stated,
            "comes_to": str(one.made_of.total),
            "made_of": one.terms,
        }
        for one in found[:LISTED_ROWS]
    )
    beyond = f" that differ by more than {flow.settings.tolerance:g}"
    summary = in_words(len(found), "total", f"{beyond}, {held}" if found else beyond)
    return Finding(not found, "WARN", summary, len(found), rows)

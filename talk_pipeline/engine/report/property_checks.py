"""The checks of single properties: whether linked pairs agree in them, made from the declarations."""

from collections.abc import Iterator, Mapping
from functools import partial

from talk_pipeline.engine.report.agreement import Disagreement, disagreements
from talk_pipeline.engine.report.findings import Check, CheckContext, Finding, Severity
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline.wording import counted


def property_checks(flow: Flow) -> Iterator[Check]:
    """The checks of a flow and its child collections, in the order of their tables."""
    for part in flow.parts:
        yield from (property_check(flow, part, prop) for prop in part.properties if prop.mapped)


def property_check(flow: Flow, part: Part, prop: Property) -> Check:
    """The check of one property."""
    prefix = part.name.removeprefix(flow.name).lstrip(".")
    return Check(
        "_".join(filter(None, ("property", prefix, prop.name.replace(".", "_")))),
        f"{prop.shop or prop.name} {prop.dir} {prop.bc}",
        "sync",
        partial(_property_agrees, part=part, prop=prop),
        sentence=_sentence(prop, of=prefix),
        lasts=True,
    )


def _sentence(prop: Property, *, of: str) -> str:
    """What the direction of a property asks of a linked pair."""
    shop, bc = f"the shop's `{prop.shop or prop.name}`", f"Business Central's `{prop.bc}`"
    where = f"in `{of}` " if of else ""
    if prop.only:
        source = shop if prop.shop else "the flow's constant"
        return f"{where}{bc} is made from {source} with a new record; later edits stay where they are"
    if prop.dir == "->":
        return f"{where}{bc} follows {shop}"
    if prop.dir == "<-":
        return f"{where}{shop} follows {bc}"
    if prop.dir == "=":
        return f"{where}{shop} equals {bc} within the flow's tolerance; neither is written"
    return f"{where}{shop} and {bc} agree"


def _disagreeing(context: CheckContext, part: Part) -> Mapping[str, Disagreement]:
    """The disagreeing pairs by property, asked once for all checks of a part."""
    if part.name not in context.disagreeing:
        context.disagreeing[part.name] = disagreements(
            context.db, context.flow, part, dry_run=context.dry_run
        )
    return context.disagreeing[part.name]


def _property_agrees(context: CheckContext, *, part: Part, prop: Property) -> Finding:
    linked = _active(context, part)
    severity: Severity = "ERROR" if prop.two_way else "WARN"
    if prop.only:
        return Finding(True, severity, f"sent on create only; {counted(linked, 'linked record')} exempt")
    failing = _disagreeing(context, part)[prop.name]
    if failing.count and failing.withheld == failing.count:
        severity = "WARN"
    tolerance = context.flow.settings.tolerance
    within, beyond = (f" within {tolerance}", f" by more than {tolerance}") if prop.dir == "=" else ("", "")
    summary = (
        f"{failing.count} of {counted(linked, 'pair')} disagree{beyond}"
        if failing.count
        else f"{counted(linked, 'pair')} {'agrees' if linked == 1 else 'agree'}{within}"
    )
    return Finding(not failing.count, severity, summary, failing.count, tuple(failing.rows))


def _active(context: CheckContext, part: Part) -> int:
    """How many pairs of a part there are, asked once for all checks of it."""
    if part.name not in context.linked:
        query = "select count(*) from link where part = ? and state = 'active'"
        row = context.db.execute(query, [part.name]).fetchone()
        context.linked[part.name] = int(row[0]) if row else 0
    return context.linked[part.name]

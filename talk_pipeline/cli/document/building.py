"""The document from the declarations, and from what a run left: the one place where it is put together."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version

from talk_pipeline.cli.document import limits, results
from talk_pipeline.cli.document.names import BC, SHOP, anchor, end, shop_property
from talk_pipeline.cli.document.rules import rules
from talk_pipeline.cli.document.steps import steps
from talk_pipeline.cli.document.tree import Document, PropertyLine, Section
from talk_pipeline.cli.telling import headline
from talk_pipeline.documents.directions import direction
from talk_pipeline.engine.report.open_items import OpenRecord
from talk_pipeline.engine.report.sheet import Sheet
from talk_pipeline.engine.report.stops import stops_of
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline.systems.businesscentral.entities import Entities

OpenRecords = Mapping[str, tuple[int, Sequence[OpenRecord]]]
"""Of each flow how many records are not in step, and the first of them."""

_INTRODUCTION = (
    f"This document tells what is kept in step between {SHOP} and {BC}: which records, how they are found to be the"
    " same, which properties travel which way, and what happens where the two disagree. It is made from the flow"
    " files that the pipeline runs on, so what it says is what is done.",
    "It is a QA checklist as well. Each section ends with steps for a tester, to be ticked and signed.",
)
_OF_RESULTS = (
    "Every verdict is of the run named above unless it names another, and says when it was given. passed: nothing"
    " to do. warned: a person should know. failed: what must never be. not run: nobody looked, and why."
)


def specification(
    flows: Flows, entities: Entities, *, generated_at: datetime, names: Collection[str] | None = None
) -> Document:
    """What holds by the declarations alone; of some flows or of all."""
    return Document(
        title=f"{SHOP} to {BC} Dataflow",
        generated_at=generated_at,
        facts=(("Release", version("talk-pipeline")),),
        introduction=_INTRODUCTION,
        sections=tuple(_section(flows, entities, flow, part) for flow, part in _parts(flows, names)),
    )


def checklist(
    flows: Flows,
    entities: Entities,
    sheet: Sheet,
    *,
    generated_at: datetime,
    systems: Mapping[str, str],
    open_records: OpenRecords,
    names: Collection[str] | None = None,
) -> Document:
    """The same with what a run found.

    Args:
        flows: those of the specification; the sheet is of these or of some.
        entities: what is described of Business Central.
        sheet: the checklist of the run.
        generated_at: now, in UTC.
        systems: whose state it is, by name.
        open_records: by flow.
        names: the flows to tell of; by default all.
    """
    plain = specification(flows, entities, generated_at=generated_at, names=names)
    sections = {flow.name: results.lines_by_part(flow, sheet) for flow in flows.values()}
    return replace(
        plain,
        facts=(*results.facts(sheet, systems), *plain.facts),
        introduction=(*plain.introduction, _OF_RESULTS),
        verdict=sheet.verdict,
        headline=headline(sheet),
        notices=tuple(results.notices(flows, sheet)),
        halts=tuple(map(results.halt, stops_of(sheet))),
        sections=tuple(
            results.with_results(
                section,
                part,
                sections[flow.name][part.name],
                open_records=open_records.get(flow.name) if part.parent is None else None,
                now=generated_at,
            )
            for section, (flow, part) in zip(plain.sections, _parts(flows, names), strict=True)
        ),
    )


def _parts(flows: Flows, names: Collection[str] | None) -> Iterator[tuple[Flow, Part]]:
    told = [flow for name, flow in flows.items() if names is None or name in names]
    return ((flow, part) for flow in told for part in flow.parts)


def _section(flows: Flows, entities: Entities, flow: Flow, part: Part) -> Section:
    shop, bc = end(flow, part, Side.SHOP), end(flow, part, Side.BC)
    return Section(
        anchor=anchor(part),
        title=f"{shop} to {bc}",
        shop=shop,
        bc=bc,
        every=limits.every(flow, part),
        every_limits=tuple(limits.every_limits(flows, flow, part)),
        in_step=limits.in_step(flow, part),
        in_step_limits=tuple(limits.in_step_limits(flow, part)),
        table_sentence=f"The following properties are synchronized between a {shop} and a {bc}:",
        properties=tuple(_properties(flows, entities, flow, part)),
        rules=rules(flows, flow, part),
        steps=steps(flow, part),
    )


def _properties(flows: Flows, entities: Entities, flow: Flow, part: Part) -> Iterator[PropertyLine]:
    described = entities.of(flow, part)
    kinds = described.kinds if described else {}
    for prop in part.properties:
        if prop.mapped:
            other = flows[prop.refers_to] if prop.refers_to else None
            of = f", of a {end(other, other.root, Side.BC)}" if other else ""
            yield PropertyLine(
                name=prop.name,
                shop=shop_property(flow, prop),
                bc=prop.bc,
                bc_type=f"{kinds[prop.bc].described}{of}",
                direction=direction(prop),
            )

"""From a document to flow files: which of the packaged flows follow from it, with which rows of their tables.

Every section and every row ends in exactly one place: in a flow, or listed with the reason.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from talk_pipeline.documents.directions import direction
from talk_pipeline.documents.essentials import essentials
from talk_pipeline.documents.headings import plain
from talk_pipeline.documents.model import Document, Row, Says, Section, Table
from talk_pipeline.documents.phrases import both_ways, creation
from talk_pipeline.documents.plan import Became, Listed, Plan, Proposal, Question, Taken
from talk_pipeline.documents.rows import Found, Why, find
from talk_pipeline.documents.types import Fit
from talk_pipeline.documents.vocabulary import Known, Names, singular
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part


def propose(
    document: Document, packaged: Sequence[Flow], names: Names, *, optional: Collection[str] = ()
) -> Proposal:
    """The flow files that follow from a document, and what a person must decide.

    Args:
        document: as it was read.
        packaged: the flows that there are.
        names: what the document calls their records and properties.
        optional: those of them that nobody has who does not ask for them.
    """
    return _Proposing(document, packaged, names, optional).done()


class _Proposing:
    def __init__(
        self, document: Document, packaged: Sequence[Flow], names: Names, optional: Collection[str]
    ) -> None:
        self.document, self.names, self.optional = document, names, optional
        self.packaged = {flow.name: flow for flow in packaged}
        self.plans: dict[str, Plan] = {}
        self.sections: list[Became] = []
        self.taken: list[Taken] = []
        self.listed: list[Listed] = []
        self.questions: list[Question] = []
        self.leading = leading(document.sections, names)

    def done(self) -> Proposal:
        for section in self.document.sections:
            self._section(section)
        self._rows()
        for plan in list(self.plans.values()):
            self._create(plan)
        self._complete()
        self.questions.sort(key=lambda question: question.line)
        return Proposal(self.document, self.plans, self.sections, self.taken, self.listed, self.questions)

    def _section(self, section: Section) -> None:
        known = self.names.records(section.bc, section.shop) if section.toward else None
        if known is None:
            self.sections.append(Became(section, None, _no_flow(section, self.names)))
            return
        flow = known.flow
        self.plans.setdefault(flow.name, Plan(flow))
        leads = section in self.leading
        text = "" if leads else "listed: other records of the shop lead to the same flow"
        self.sections.append(Became(section, flow.name, text))
        self._ask(section, known, leads=leads)

    def _ask(self, section: Section, known: Known, *, leads: bool) -> None:
        ask = self.questions.append
        if not leads:
            text = (
                f"{section.shop} leads to {section.bc} too: one flow carries one kind of records of the shop; a"
                " second flow between the same entities needs settings.scope to tell the records apart"
            )
            ask(Question(section.line, text))
        elif not own_noun(section, known):
            self._ask_once(section, f"{section.shop} is read as the shop's {known.records}: is it that?")
        if scope := known.unsaid_scope(section.bc):
            self._ask_once(section, f"{section.bc} does not say which: read as those of {scope}")
        for sentence in section.sentences:
            if sentence.says is Says.UNKNOWN:
                ask(Question(sentence.line, f"not understood: {sentence.text}"))
            elif sentence.says is Says.MERGES and not section.rows_of(Table.MERGE):
                ask(Question(sentence.line, f"no table of merge conditions follows: {sentence.text}"))
            elif known.part.parent and sentence.says in (
                Says.WHEN_CONNECTED,
                Says.ON_CONDITION,
                Says.LINK_FIRST,
            ):
                ask(Question(sentence.line, f"lines always follow their record: {sentence.text}"))

    def _ask_once(self, section: Section, text: str) -> None:
        if text not in {question.text for question in self.questions}:
            self.questions.append(Question(section.line, text))

    def _rows(self) -> None:
        first: dict[tuple[object, ...], int] = {}
        for section, row in self.document.rows():
            found = find(section, row, self.names)
            why, way_out = found.why, found.way_out
            if found.known is not None:
                if section not in self.leading:
                    why, way_out = Why.OTHER_RECORDS, "decide which records lead; see the questions"
                elif why not in (Why.NO_TABLE, Why.NO_PAIR):
                    at = row.table, found.known.part.name, plain(row.shop), plain(row.bc)
                    if at in first:
                        why, way_out = Why.TWICE, f"nothing: line {first[at]} says it"
                    first.setdefault(at, row.line)
                    if why is None and row.table is Table.MERGE:
                        why, way_out = _no_key(found)
                    elif why and row.table is Table.MERGE and _several(row):
                        why, way_out = Why.SEVERAL_KEYS, "choose one of them for match"
            if why is None:
                self._take(Taken(section, row, found))
            else:
                self.listed.append(Listed(section, row, why, way_out))

    def _take(self, taken: Taken) -> None:
        assert taken.found.known is not None
        plan = self.plans[taken.found.known.flow.name]
        self.taken.append(taken)
        said, prop = taken.row.direction, taken.found.prop
        if said and prop and said != direction(prop):
            text = f"{taken.row.bc}: it travels {direction(prop)} in the flow; the document says {said}"
            self.questions.append(Question(taken.row.line, text))
        if taken.row.table is Table.PROPERTIES:
            plan.lines.setdefault(taken.at, []).append(taken.row.line)
        elif taken.found.known.part.parent is None:
            plan.match = plan.match or {}
            plan.match.setdefault(taken.at[1], []).append(taken.row.line)
        else:
            plan.kept.setdefault(taken.at, "lines are matched by it")
            plan.lines.setdefault(taken.at, []).append(taken.row.line)

    def _create(self, plan: Plan) -> None:
        sides: dict[Side, tuple[str | None, str | None]] = {}
        line = 0
        for section in self.leading:
            known = self.names.records(section.bc, section.shop)
            if known and known.part is plan.flow.root and section.toward and section.toward not in sides:
                sides[section.toward] = creation(section)
                line = line or section.line
        plan.create, questions = both_ways(sides)
        self.questions += [Question(line, f"{plan.flow.name}: {text}") for text in questions]
        if plan.create and plan.flow.settings.create == "businesscentral":  # which no sentence says
            text = (
                f"{plan.flow.name}: the document says create: {plan.create}; only Business Central makes any"
            )
            self.questions.append(Question(line, f"{text}: proposed as packaged"))
            plan.create = None
        if plan.create == "when_referenced" and not self._referred(plan.flow.name):
            text = f"{plan.flow.name}: no flow refers to it: with create: when_referenced nothing is made"
            self.questions.append(Question(line, text))
        if not sides:
            lines = min(one.section.line for one in self.sections if one.flow == plan.flow.name)
            text = f"{plan.flow.name}: there is a section for its lines and none for itself: proposed as packaged"
            self.questions.append(Question(lines, text))

    def _referred(self, name: str) -> bool:
        return any(
            name in flow.refers_to
            for flow in self.packaged.values()
            if flow.name in self.plans or flow.name not in self.optional
        )

    def _complete(self) -> None:
        """Parts without a table, what a flow needs beside the document's rows, and flows that are referred to."""
        pending = list(self.plans.values())
        while pending:
            plan = pending.pop()
            for part in plan.flow.parts:
                if not self._lists(part):
                    plan.whole.add(part.name)
            needed = essentials(plan, self.names.entities)
            plan.kept |= {at: why for at, why in needed.items() if at not in plan.lines}
            for name in plan.flow.refers_to:
                if name not in self.plans:
                    added = Plan(self.packaged[name], because=f"{plan.flow.name} refers to it")
                    self.plans[name] = added
                    pending.append(added)

    def _lists(self, part: Part) -> bool:
        """Whether the document names properties of a part, known or not."""
        rows = (
            find(section, row, self.names)
            for section in self.leading
            for row in section.rows_of(Table.PROPERTIES)
        )
        return any(
            found.known and found.known.part is part and found.why is not Why.NO_PAIR for found in rows
        )


def leading(sections: Iterable[Section], names: Names) -> list[Section]:
    """The sections that speak for a flow: of one kind of the shop's records each, in either direction."""
    found = [(section, names.records(section.bc, section.shop)) for section in sections if section.toward]
    known = sorted(
        ((section, of) for section, of in found if of), key=lambda one: (one[1].part.name, one[0].line)
    )
    leads: list[Section] = []
    for _, group in groupby(known, key=lambda one: one[1].part.name):
        one_part = list(group)
        first = next((section for section, of in one_part if own_noun(section, of)), one_part[0][0])
        leads += [section for section, _ in one_part if singular(section.shop) == singular(first.shop)]
    return sorted(leads, key=lambda section: section.line)


def own_noun(section: Section, known: Known) -> bool:
    """Whether the document calls the shop's records what the flow or the shop's description calls them."""
    flow = known.flow
    if known.part.parent:
        own = {flow.name + known.part.paths[Side.SHOP], known.part.paths[Side.SHOP]}
    else:
        own = {flow.name, flow.customwebshop.entity, flow.customwebshop.asset}
    return singular(section.shop) in {singular(one) for one in own}


def _no_flow(section: Section, names: Names) -> str:
    if section.toward is None:
        return "listed: the heading does not join records of the shop and of Business Central"
    return f"listed: no flow synchronizes {section.bc}; there are flows for {names.synchronized}"


def _no_key(found: Found) -> tuple[Why | None, str]:
    """Whether records can be matched by the property."""
    assert found.known is not None
    assert found.prop is not None
    part = found.known.part
    if part.parent and part.match != (found.prop.name,):
        return Why.NO_KEY, f"lines are matched by {part.match[0]}, then by position"
    return None, ""


def _several(row: Row) -> bool:
    return any(sign in f" {cell} " for cell in (row.shop, row.bc) for sign in (",", "+", "&", ";", " and "))


def differing_types(taken: Iterable[Taken]) -> list[Taken]:
    """The rows whose type is not Business Central's, or no type that is known."""
    return [one for one in taken if one.found.fit in (Fit.DIFFERS, Fit.UNKNOWN)]

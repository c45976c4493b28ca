"""The report of an import: what became of every section and row, and what a person must decide. Markdown."""

from collections.abc import Iterable, Iterator, Sequence

from talk_pipeline.documents.model import Table
from talk_pipeline.documents.plan import Plan, Proposal
from talk_pipeline.documents.proposal import differing_types
from talk_pipeline.documents.types import Fit
from talk_pipeline.flows.vocabulary import Part
from talk_pipeline.wording import counted

_DIRECTIONS = {"->": "to Business Central", "<-": "to the shop", "=": "compared, never written"}


def report(proposal: Proposal, *, name: str) -> str:
    """The whole report; the name is what the document is called."""
    document = proposal.document
    taken, listed = len(proposal.taken), len(proposal.listed)
    rows = taken + listed
    parts = [
        f"# {document.source} to {document.target}: what became of {name}\n",
        f"{counted(len(document.sections), 'section')}, {counted(rows, 'row')}: {counted(taken, 'row')}"
        f" {_are(taken)} in the flow files, {listed} {_are(listed)} listed here. A row in a flow file ends with"
        " the line of the document.\n",
        *_sections(proposal),
        *_to_decide(proposal),
        *_notes(proposal),
        "Try them with `TALK_FLOWS_DIR` set to this folder: `talk-pipeline check-config`, then `talk-pipeline"
        " sync --dry-run`.",
    ]
    return "\n".join(parts) + "\n"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _sections(proposal: Proposal) -> Iterator[str]:
    yield "## Sections\n"
    yield from _table(
        ("line", "section", "becomes"),
        (
            (
                became.section.line,
                became.section.heading,
                "; ".join(filter(None, (f"{became.flow}.yaml" if became.flow else "", became.text))),
            )
            for became in proposal.sections
        ),
    )
    added = [plan for plan in proposal.plans.values() if plan.because]
    if added:
        yield from (f"* `{plan.flow.name}.yaml` as packaged: {plan.because}" for plan in added)
        yield ""


def _to_decide(proposal: Proposal) -> Iterator[str]:
    if proposal.questions:
        yield "## To decide\n"
        yield from (f"* line {one.line}: {_plain(one.text)}" for one in proposal.questions)
        yield ""
    if proposal.listed:
        yield "## Rows that are in no flow file\n"
        yield from _table(
            ("line", "section", "row", "why", "way out"),
            (
                (one.row.line, one.section.heading, _row(one.row.cells), one.why.value, one.way_out)
                for one in proposal.listed
            ),
        )


def _notes(proposal: Proposal) -> Iterator[str]:
    if wrong := differing_types(proposal.taken):
        yield "## Types that differ\n"
        for one in wrong:
            known = one.found.kind
            said = "is no type that is known" if one.found.fit is Fit.UNKNOWN else f"is {known} there"
            yield f"* line {one.row.line}: {one.row.bc}: {_plain(one.row.type)} {said}"
        yield ""
    for plan in proposal.plans.values():
        if lines := [*_about(plan)]:
            yield f"## {plan.flow.title}: {plan.flow.name}.yaml\n"
            yield from lines
            yield ""
    if one_way := [*_one_way(proposal)]:
        yield "## Kept in step one way\n\nThe document says both ways; the packaged flow has its reasons.\n"
        yield from one_way
        yield ""


def _about(plan: Plan) -> Iterator[str]:
    """What of the packaged flow is there though no row says so, and what is not there."""
    if not plan.because:
        for part in plan.flow.parts:
            if part.name in plan.whole:
                yield f"* {_of(part)}: the document lists no properties: the packaged table is proposed"
    for part in plan.flow.parts:
        if part.name in plan.whole:
            continue
        for (name, prop), why in plan.kept.items():
            if name == part.name and (name, prop) not in plan.lines:
                yield f"* kept though no row names it: {_of(part, prop)}: {why}"
        if gone := [prop for of, prop in plan.left_out() if of is part]:
            yield f"* left out, no row names them: {_of(part)}: {', '.join(gone)}"


def _of(part: Part, prop: str = "") -> str:
    inner = part.key
    return " ".join(filter(None, (inner or ("" if prop else "the record"), prop)))


def _one_way(proposal: Proposal) -> Iterator[str]:
    for one in proposal.taken:
        prop = one.found.prop
        if prop is None or prop.two_way or one.row.table is not Table.PROPERTIES or one.row.direction:
            continue
        once = ", on create only" if prop.only else ""
        yield f"* line {one.row.line}: {prop.name}: {_DIRECTIONS.get(prop.dir, 'read only')}{once}"


def _row(cells: Sequence[str]) -> str:
    return " / ".join(cell or "(blank)" for cell in cells)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(_plain(cell) for cell in row)} |"
    yield ""


def _plain(text: object) -> str:
    """Text that is no markup of a table."""
    return " ".join(str(text).split()).replace("|", "\\|")

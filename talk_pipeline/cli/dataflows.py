"""`talk-pipeline import-doc` and `check-doc`: data-flow documents against flow files."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from talk_pipeline.cli.document import building, rst
from talk_pipeline.cli.exits import Exit
from talk_pipeline.cli.terminal import say
from talk_pipeline.declarations import checked_files, entities_of
from talk_pipeline.documents.comparison import Verdict, compare
from talk_pipeline.documents.folder import REPORT, put
from talk_pipeline.documents.own import Own
from talk_pipeline.documents.plan import Proposal
from talk_pipeline.documents.proposal import propose
from talk_pipeline.documents.reader import read_document, read_text
from talk_pipeline.documents.report import report
from talk_pipeline.documents.vocabulary import Names
from talk_pipeline.documents.writing import flow_text
from talk_pipeline.flows.loading import PACKAGED, Flows, load_flow
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.settings import Settings
from talk_pipeline.systems.businesscentral.behaviour import told
from talk_pipeline.systems.businesscentral.entities import Entities
from talk_pipeline.systems.customwebshop.spec.description import Description
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.wording import counted

OPTIONAL = PACKAGED / "optional"
ANY_TIME = datetime(2000, 1, 1)  # noqa: DTZ001 - of UTC, as documents are; the same flows say the same text
MARKS = {
    Verdict.COVERED: " ok  ",
    Verdict.MISSING: " MISS",
    Verdict.WRONG_TYPE: " TYPE",
    Verdict.DIFFERS: " DIFF",
    Verdict.EXTRA: "extra",
}


def import_document(file: Path, folder: Path, *, overwrite: bool) -> None:
    """Writes the flow files that follow from a document, and the report; tells what is to be decided.

    Raises:
        DocumentError: the file is no data-flow document, or the folder holds flow files already.
        FlowError: the shop's description cannot take part in these flows.
    """
    settings = Settings.load()
    # whether it fits is proven with the flows that are written; those in use may be none of it yet
    description = load_description(settings.customwebshop_connector, flows=Flows(()))
    files = _packaged()
    entities = entities_of(settings)
    flows = list(_possible([told(load_flow(one), entities) for one in files.values()], description, entities))
    own = _own(flows, entities)
    names = Names(flows, description, entities, own)
    optional = {name for name, one in files.items() if one.parent == OPTIONAL}
    proposal = propose(own.beyond(read_document(file)), flows, names, optional=optional)
    texts = {
        f"{name}.yaml": flow_text(plan, files[name], document=file.name)
        for name, plan in proposal.plans.items()
    }

    def prove(aside: Path) -> None:
        if texts:
            checked_files(settings.model_copy(update={"talk_flows_dir": aside}))

    left = put(folder, texts | {REPORT: report(proposal, name=file.name)}, prove=prove, overwrite=overwrite)
    _tell(proposal, folder)
    if left:
        say(f"left alone, though check-config reads them too: {', '.join(left)}")


def _packaged() -> dict[str, Path]:
    """The packaged flow files by name; one for all records of an entity comes before one for some."""
    files = [*sorted(PACKAGED.glob("*.yaml")), *sorted(OPTIONAL.glob("*.yaml"))]
    return {file.stem: file for file in files}


def _possible(flows: list[Flow], description: Description, entities: Entities) -> Iterator[Flow]:
    """The flows between what is described of Business Central and of the shop, with all they refer to."""
    known = {flow.name: flow.root.by_name for flow in flows}
    there = {
        flow.name
        for flow in flows
        if flow.customwebshop.entity in description.entities
        and flow.businesscentral.entity in entities
        # what only an addition brings is not there
        and all(one.told_by in known[one.refers_to or ""] for one in flow.root.references if one.told_by)
    }
    yield from (flow for flow in flows if {flow.name, *flow.refers_to} <= there)


def _own(flows: Iterable[Flow], entities: Entities) -> Own:
    """What the flows' own document says, as any other document is read."""
    return _own_in(rst.written(building.specification(Flows(tuple(flows)), entities, generated_at=ANY_TIME)))


@lru_cache(maxsize=8)  # it takes four times as long to read as most documents
def _own_in(text: str) -> Own:
    return Own(read_text(text, name="the flows' own document"))


def _tell(proposal: Proposal, folder: Path) -> None:
    taken, listed = len(proposal.taken), len(proposal.listed)
    for became in proposal.sections:
        where = f"{became.flow}.yaml" if became.flow else ""
        say(f"{became.section.heading}: {'; '.join(filter(None, (where, became.text)))}")
    written = (
        ", ".join(f"{name}.yaml" for name in proposal.plans)
        or "no flow file: it is about nothing that flows keep"
    )
    say(f"{folder}: {written}")
    say(f"{counted(taken + listed, 'row')}: {taken} in flow files, {listed} listed with the reason")
    say(f"{listed + len(proposal.questions)} to decide: {folder / REPORT}")


def check_document(file: Path) -> int:
    """Prints how the flows in use stand to a document; returns the exit status.

    Raises:
        DocumentError: the file is no data-flow document.
        FlowError: a flow or connector file has mistakes.
    """
    settings = Settings.load()
    flows, description = checked_files(settings)
    entities = entities_of(settings)
    own = _own(flows.values(), entities)
    names = Names(flows.values(), description, entities, own)
    found = compare(own.beyond(read_document(file)), flows, names)
    for one in found:
        where = f"line {one.line}: " if one.line else ""
        say(f"{MARKS[one.verdict]} {where}{one.text}")
    counts = {verdict: sum(one.verdict is verdict for one in found) for verdict in Verdict}
    say(", ".join(f"{count} {verdict.value}" for verdict, count in counts.items()))
    good = (Verdict.COVERED, Verdict.EXTRA)
    return Exit.OK if all(one.verdict in good for one in found) else Exit.CHECK_FAILED

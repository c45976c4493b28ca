"""`talk-pipeline checklist`: the QA checklist as one document, with what the last run found or without.

What it says is built in `cli.document`; each form is written by a module there.
"""

import sys
from pathlib import Path

from talk_pipeline.cli.document import building, data, rst, text
from talk_pipeline.cli.document.tree import Document
from talk_pipeline.cli.exits import Exit, UsageError
from talk_pipeline.cli.tables import console
from talk_pipeline.cli.terminal import OUTPUT
from talk_pipeline.declarations import checked_files, entities_of
from talk_pipeline.disks import written_to
from talk_pipeline.engine.report.open_items import open_records
from talk_pipeline.engine.report.sheet import Sheet, sheet_of
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.meta import known_systems
from talk_pipeline.flows.loading import Flows
from talk_pipeline.pieces import put
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state, nothing_ran
from talk_pipeline.systems.businesscentral.entities import Entities

EXITS = {
    "passed": Exit.OK,
    "warned": Exit.OK,
    "failed": Exit.CHECK_FAILED,
    "incomplete": Exit.INCOMPLETE,
}


def write_checklist(form: str, *, out: Path | None, with_results: bool) -> Exit:
    """Writes the document: of the last run, or the specification alone.

    Raises:
        ByHandError: nothing ran yet.
    """
    settings = Settings.load()
    flows, _ = checked_files(settings)
    if not with_results:
        _put(form, building.specification(flows, entities_of(settings), generated_at=now()), None, out=out)
        return Exit.OK
    with known_state(settings).once() as db:
        sheet = sheet_of(db, flows)
        if sheet is None:
            raise nothing_ran(settings)
        document = document_of(db, flows, entities_of(settings), sheet)
    _put(form, document, sheet, out=out)
    return EXITS[sheet.verdict]


def document_of(db: Connection, flows: Flows, entities: Entities, sheet: Sheet) -> Document:
    """The document of a run, of the flows that its sheet is of."""
    names = [section.flow.name for section in sheet.sections]
    return building.checklist(
        flows,
        entities,
        sheet,
        generated_at=now(),
        systems=known_systems(db),
        open_records={name: open_records(db, flows[name]) for name in names},
        names=names,
    )


def _put(form: str, document: Document, sheet: Sheet | None, *, out: Path | None) -> None:
    if form == "text" and out is None:
        text.show(console(), document)
        return
    written = _written(form, document, sheet)
    if out is not None:
        with written_to(out):
            put(out, written)
    elif form == "pdf" and sys.stdout.isatty():
        raise UsageError("a PDF is no text for a terminal: name a file with --out")
    else:
        with written_to(OUTPUT):
            sys.stdout.flush()
            sys.stdout.buffer.write(written)
            sys.stdout.flush()


def _written(form: str, document: Document, sheet: Sheet | None) -> bytes:
    match form:
        case "pdf":
            from talk_pipeline.cli.document import pdf  # its library takes a while to load

            return pdf.written(document)
        case "json":
            return data.written(document, sheet).encode()
        case "rst":
            return rst.written(document).encode()
        case "html":
            from talk_pipeline.cli.document import page  # with what fills in templates, and in no other form

            return page.written(document).encode()
    return text.written(document).encode()

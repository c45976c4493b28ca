"""A document as a PDF of one plain page: whoever fetches it sees that it is the one that was meant."""

from __future__ import annotations

from talk_pipeline.sandbox.businesscentral.company import Company
from talk_pipeline.sandbox.clock import to_datetime
from talk_pipeline.sandbox.store import Row

WAY = ("pdfDocument", "pdfDocumentContent")
"""Where below a document its PDF is."""
_SAID = ("externalDocumentNumber", "customerName", "invoiceDate", "dueDate", "totalAmountIncludingTax")


def printed(company: Company, document: Row, *, called: str) -> bytes:
    """The file.

    Args:
        company: whose document it is.
        document: what it says of itself.
        called: what such a document is called.
    """
    from fpdf import FPDF  # takes half a second, and few ask for a paper

    paper = FPDF()
    paper.set_creation_date(to_datetime(company.now_ms()))
    paper.set_font("Helvetica", size=12)
    paper.add_page()
    said = [f"{name}: {document[name]}" for name in _SAID if name in document]
    for text in (f"{called} {document['number']}", *said):
        plain = text.encode("latin-1", "replace").decode("latin-1")  # all that the plain font has
        paper.cell(0, 8, plain, new_x="LMARGIN", new_y="NEXT")
    return bytes(paper.output())

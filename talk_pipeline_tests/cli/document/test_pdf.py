"""The PDF: found by its outline, read by its text, whatever letters a value has."""

from dataclasses import replace
from io import BytesIO

from pypdf import PdfReader

from talk_pipeline.cli.document import building, pdf
from talk_pipeline.systems.businesscentral.entities import load_entities
from talk_pipeline_tests.cli.document.test_specification import AT, SECTIONS
from talk_pipeline_tests.flow_files import flows_in


def read(text: str = "") -> PdfReader:
    """The specification, with a notice."""
    document = building.specification(flows_in(), load_entities(), generated_at=AT)
    return PdfReader(BytesIO(pdf.written(replace(document, notices=(text,)))))


def test_its_outline_leads_to_every_section() -> None:
    reader = read()
    titles = [one.title for one in reader.outline if not isinstance(one, list)]
    assert titles == ["Introduction", *SECTIONS]
    for title in SECTIONS:
        assert any(title in page.extract_text() for page in reader.pages)


def test_letters_are_told_and_those_the_font_has_not_by_their_code() -> None:
    head = read("Łódź, Αθήνα, Київ, 5 €, \u4e2d, <b>").pages[0].extract_text()
    assert "Łódź, Αθήνα, Київ, 5 €, <U+4E2D>, <b>" in head


def test_every_page_has_its_number() -> None:
    pages = read().pages
    for number, page in enumerate(pages, 1):
        assert f"page {number} of {len(pages)}" in page.extract_text()

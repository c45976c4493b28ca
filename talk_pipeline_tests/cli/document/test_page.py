"""The page: whole in itself, escaped, with a structure that can be heard and colours that can be told apart."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.cli.document import page
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.cli.document.conftest import AWKWARD
from talk_pipeline_tests.cli.document.test_specification import SECTIONS
from talk_pipeline_tests.world import World

pytestmark = pytest.mark.xdist_group("document")

VOID = {"meta", "input", "br", "link", "img"}


@dataclass
class Element:
    name: str
    attributes: dict[str, str | None]
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def every(self, *names: str) -> list["Element"]:
        found = [self] if self.name in names else []
        return found + [one for child in self.children for one in child.every(*names)]


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].name == tag, f"</{tag}> ends <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def read(text: str) -> Element:
    reader = Reader()
    reader.feed(text)
    assert reader.open == [reader.root]
    return reader.root


@pytest.fixture(scope="module")
def text(found: World) -> str:
    return run("checklist", "--format", "html").stdout


@pytest.fixture(scope="module")
def root(text: str) -> Element:
    return read(text)


def test_nothing_comes_from_outside_and_nothing_runs(text: str, root: Element) -> None:
    assert not root.every("script", "link", "img", "iframe", "object")
    assert not re.findall(r"url\(|@import|\bon\w+=", text)
    targets = [one.attributes["href"] or "" for one in root.every("a")]
    ids = [one.attributes["id"] for one in _all(root) if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    assert targets
    assert {target[1:] for target in targets} <= set(ids)


def test_values_are_text(text: str, root: Element) -> None:
    assert not root.every("b", "i"), "the name of a customer became an element"
    cells = [one.text for one in root.every("td")]
    assert any(AWKWARD in cell for cell in cells)


def test_headings_are_in_order_and_landmarks_have_names(root: Element) -> None:
    levels = [int(one.name[1]) for one in root.every("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    for name in ("header", "nav", "main", "footer"):
        assert len(root.every(name)) == 1
    assert root.every("nav")[0].attributes["aria-label"]
    titles = {one.attributes.get("id"): one.text for one in root.every("h2")}
    named = [titles[one.attributes["aria-labelledby"]] for one in root.every("section")]
    assert named == ["Introduction", *SECTIONS]
    assert root.every("html")[0].attributes["lang"] == "en"


def test_every_table_has_a_caption_and_every_heading_a_scope(root: Element) -> None:
    tables = root.every("table")
    assert len(tables) > 15
    for table in tables:
        assert table.every("caption")[0].text.strip()
        columns = table.every("thead")[0].every("th")
        assert {one.attributes["scope"] for one in columns} == {"col"}
        for row in table.every("tbody")[0].every("tr"):
            labels = [one.attributes["data-label"] for one in row.every("th", "td")]
            assert labels == [column.text for column in columns]
            assert [one.attributes["scope"] for one in row.every("th")] == ["row"]


def test_every_input_has_a_name(root: Element) -> None:
    labels = {one.attributes.get("for") for one in root.every("label")}
    ids = {one.attributes.get("id") for one in _all(root)}
    inputs = root.every("input")
    assert len(inputs) > 50
    for one in inputs:
        assert (
            one.attributes.get("aria-label")
            or one.attributes.get("aria-labelledby") in ids
            or one.attributes.get("id") in labels
        )


def test_the_filter_leaves_what_is_not_ok_and_paper_shows_all(text: str, root: Element) -> None:
    shown = {
        (cell.text.strip(), (row.attributes["class"] or "").split()[0])
        for row in root.every("tr")
        for cell in row.children
        if cell.attributes.get("data-label") == "Verdict"
    }
    assert shown == {("passed", "ok"), ("warned", "look")}
    parts = {one.attributes["class"] for one in root.every("table", "section") if "class" in one.attributes}
    assert parts == {"ok", "look", "fine", "words"}
    screen, paper = text.split("@media print")
    assert "body:has(#only:checked) .ok" in screen
    assert "body:has(#only:checked) tr.ok { display: table-row; }" in paper
    assert "details::details-content" in paper
    opened = ["open" in one.attributes for one in root.every("details") if one.attributes["class"] == "look"]
    assert opened
    assert all(opened)


COLOURS = re.compile(r"(?:^|[^-])color: (#[0-9a-f]{6}|var\(--(?:ink|soft)\))")


def test_colours_can_be_told_apart() -> None:
    """By the contrast that WCAG asks of text, against the lightest and the darkest ground of the page."""
    style = (Path(page.__file__).parents[1] / "templates" / "dataflow.css").read_text(encoding="utf-8")
    named = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", style))
    inks = {named.get(one[6:-1], one) if one.startswith("var") else one for one in COLOURS.findall(style)}
    grounds = {"#ffffff", named["fill"], *re.findall(r"background: (#[0-9a-f]{6})", style)}
    assert len(inks) > 5
    for ink in inks:
        for ground in grounds:
            assert contrast(ink, ground) >= 4.5, f"{ink} on {ground}"


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _all(element: Element) -> list[Element]:
    return [element, *(one for child in element.children for one in _all(child))]

"""The document as a page: on a desktop, on a phone, on paper, and under the hands of a tester."""

import json
from io import BytesIO
from typing import Any
from unicodedata import normalize

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from talk_pipeline_tests.browser.conftest import Shoot
from talk_pipeline_tests.browser.looking import DESKTOP, PHONE, cut_off, findings
from talk_pipeline_tests.browser.stage import Stage


@pytest.fixture
def checklist(page: Page, stage: Stage) -> Page:
    page.goto((stage.folder / "checklist.html").as_uri())
    return page


@pytest.fixture(scope="session")
def checks(stage: Stage) -> list[dict[str, Any]]:
    """The same document as data: its checks."""
    told = json.loads((stage.folder / "checklist.json").read_text(encoding="utf-8"))
    return [one for flow in told["flows"].values() for one in flow]


@pytest.mark.parametrize("name", ["checklist", "specification"])
@pytest.mark.parametrize("width", [DESKTOP["width"], PHONE["width"]])
def test_nothing_is_cut_off_and_axe_finds_nothing(
    page: Page, stage: Stage, shoot: Shoot, *, name: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": PHONE["height"]})
    page.goto((stage.folder / f"{name}.html").as_uri())
    shoot(f"{name}-{width}", whole=True)
    assert cut_off(page) == []
    assert findings(page) == ""


@pytest.mark.parametrize("width", [1024, 800])
def test_nothing_is_cut_off_between_a_phone_and_a_desktop(checklist: Page, shoot: Shoot, width: int) -> None:
    checklist.set_viewport_size({"width": width, "height": PHONE["height"]})
    checklist.get_by_role("heading", name="Properties").first.scroll_into_view_if_needed()
    shoot(f"checklist-{width}")
    assert cut_off(checklist) == []


def test_contents_lead_to_headings_that_nothing_covers(checklist: Page) -> None:
    links = checklist.get_by_role("navigation", name="Contents").get_by_role("link")
    assert links.count() > 3
    for link in links.all():
        link.click()
        heading = checklist.locator(f"[id='{(link.get_attribute('href') or '')[1:]}']")
        expect(heading).to_be_in_viewport()
        assert heading.evaluate(
            "one => { const box = one.getBoundingClientRect();"
            " return document.elementFromPoint(box.left + 5, box.bottom - 5) == one }"
        ), f"something lies over {heading.text_content()}"


def test_the_filter_leaves_what_is_not_ok(
    checklist: Page, checks: list[dict[str, Any]], shoot: Shoot
) -> None:
    verdicts = checklist.locator("td[data-label=Verdict]")
    before = verdicts.all_text_contents()
    checklist.get_by_label("Only what is not ok").check()
    left = verdicts.filter(visible=True).all_text_contents()
    checklist.get_by_role("link", name="Items").click()
    shoot("checklist-not-ok")
    assert left == [one for one in before if one != "passed"]
    assert len(left) == sum(one["verdict"] != "passed" for one in checks)
    parts = checklist.locator("main section:visible, main table:visible")
    empty = parts.filter(has_not=checklist.locator("tbody tr:visible"))
    assert empty.all_text_contents() == []


def test_a_step_is_ticked_and_signed(checklist: Page, shoot: Shoot) -> None:
    step = checklist.get_by_role("row").filter(has=checklist.get_by_role("checkbox")).first
    step.get_by_role("checkbox").check()
    step.get_by_label("Name").fill("A tester")
    step.get_by_label("Date").fill("2026-01-31")
    step.scroll_into_view_if_needed()
    shoot("checklist-ticked")
    expect(step.get_by_role("checkbox")).to_be_checked()
    assert squeezed("A tester") in printed(checklist)


@pytest.mark.parametrize("filtered", [False, True])
def test_paper_holds_every_row_that_failed(
    checklist: Page, checks: list[dict[str, Any]], shoot: Shoot, *, filtered: bool
) -> None:
    checklist.get_by_label("Only what is not ok").set_checked(filtered)
    checklist.evaluate("document.querySelectorAll('details').forEach(one => one.open = false)")
    rows = checklist.locator("details tbody tr")
    assert rows.count() == sum(len(one["rows"]) for one in checks) > 10
    text = printed(checklist)
    for cell in rows.locator("th, td").all_text_contents():
        assert squeezed(cell) in text
    checklist.emulate_media(media="print")
    rows.first.scroll_into_view_if_needed()
    shoot("checklist-on-paper")


def printed(page: Page) -> str:
    """What is on paper."""
    return squeezed("".join(one.extract_text() for one in PdfReader(BytesIO(page.pdf(format="A4"))).pages))


def squeezed(text: str) -> str:
    """Without the blanks, breaks and ligatures that are the layout's."""
    return "".join(normalize("NFKC", text).split())

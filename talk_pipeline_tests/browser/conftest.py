"""One stage and one browser for all tests; a page for each, and a picture of it for people."""

import re
from collections.abc import Callable, Iterator, Sequence

import pytest
from playwright.sync_api import Browser, FloatRect, Page, ViewportSize, expect, sync_playwright

from talk_pipeline_tests.browser.looking import DESKTOP
from talk_pipeline_tests.browser.stage import ROOT, Stage, raised

PICTURES = ROOT / "data" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",  # which needs what a container does not give
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""Chromium asks nobody but the stage."""
PATIENCE_MS = 30_000

Shoot = Callable[..., None]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with raised(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a desktop, in a context of its own."""
    page = browser.new_page(viewport=DESKTOP)
    page.set_default_timeout(PATIENCE_MS)
    yield page
    page.context.close()


@pytest.fixture
def shoot(page: Page, request: pytest.FixtureRequest) -> Iterator[Shoot]:
    """Puts what a page shows into `data/screenshots`; a test that fails leaves one by its own name."""
    PICTURES.mkdir(parents=True, exist_ok=True)

    def taken(name: str, *, whole: bool = False, around: Sequence[FloatRect] | None = None) -> None:
        clip = _around(around, page.viewport_size or DESKTOP) if around else None
        page.screenshot(path=PICTURES / f"{name}.png", full_page=whole, clip=clip, animations="disabled")

    failed = request.session.testsfailed
    yield taken
    if request.session.testsfailed > failed:
        taken(re.sub(r"\W+", "-", f"failed-{request.node.name}"))


def _around(boxes: Sequence[FloatRect], window: ViewportSize, margin: float = 8) -> FloatRect:
    """What the boxes cover, as far as the window shows it."""
    left, top = min(box["x"] for box in boxes) - margin, min(box["y"] for box in boxes) - margin
    right = min(max(box["x"] + box["width"] for box in boxes) + margin, window["width"])
    bottom = min(max(box["y"] + box["height"] for box in boxes) + margin, window["height"])
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}

"""What must hold of any page of ours: nothing that axe finds, and nothing that a narrow screen cuts off."""

import json

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

DESKTOP: ViewportSize = {"width": 1400, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}

_CUT_OFF = """() => {
  const wide = document.documentElement.clientWidth
  const told = one => `${one.localName} ${(one.textContent || one.value || '').trim().slice(0, 60)}`
  return [...document.body.querySelectorAll('*')].filter(one => {
    const box = one.getBoundingClientRect()
    const style = getComputedStyle(one)
    if (!box.width || !one.checkVisibility() || box.right <= 0) return false  // for screen readers alone
    const clips = style.overflowX != 'visible' && !['input', 'select', 'textarea'].includes(one.localName)
    return box.right > wide + 1 || box.left < -1 || (clips && one.scrollWidth > one.clientWidth + 1)
  }).map(told)
}"""


def findings(page: Page) -> str:
    """What axe finds, one rule a line; nothing, if nothing."""
    found = Axe().run(page).response["violations"]
    return "\n".join(f"{one['id']}: {one['help']}: {json.dumps(_places(one))}" for one in found)


def _places(one: dict[str, list[dict[str, object]]]) -> list[object]:
    return [node["html"] for node in one["nodes"]][:5]


def cut_off(page: Page) -> list[str]:
    """The elements that reach beyond the page's width, or hide some of what they hold."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    elements: list[str] = page.evaluate(_CUT_OFF)
    return elements + ([f"the page, by {wide} px"] if wide > 0 else [])

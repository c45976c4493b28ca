"""A browser without scripts: it looks at pages, fills in forms and sends them as browsers do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urljoin

import httpx
from bs4 import BeautifulSoup, Tag

from talk_pipeline.systems.http.way import trusted


class Page:
    """A page as it was answered."""

    def __init__(self, visitor: Visitor, answer: httpx.Response) -> None:
        self._visitor = visitor
        self.status = answer.status_code
        self.url = str(answer.url)
        self.soup = BeautifulSoup(answer.text, "html.parser")

    @property
    def heading(self) -> str:
        (heading,) = self.soup.find_all("h1")
        return heading.get_text()

    def text(self, role: str) -> str:
        """What stands where a role is, such as an alert."""
        found = self.soup.select_one(f'[role="{role}"]')
        return found.get_text() if found else ""

    def links(self) -> dict[str, str]:
        """Address by text."""
        return {link.get_text(): str(link["href"]) for link in self.soup.find_all("a")}

    def follow(self, text: str) -> Page:
        return self._visitor.get(urljoin(self.url, self.links()[text]))

    def fields(self) -> dict[str, str]:
        """What the form holds, in order."""
        form = self.soup.select_one("form[method=post]")
        assert form is not None
        return {
            str(part["name"]): _value(part)
            for part in form.find_all(["input", "select", "textarea"])
            if part.get("name")
        }

    def note(self, name: str) -> str:
        """What is said of one field."""
        field = self.soup.select_one(f'[name="{name}"]')
        assert field is not None
        assert field.parent is not None
        found = field.parent.select_one(".note")
        return found.get_text() if found else ""

    def press(self, button: str, typed: Mapping[str, str] | None = None) -> Page:
        """Fill in some fields and press a button."""
        fields = self.fields()
        assert fields.keys() >= (typed or {}).keys()
        found = [each for each in self.soup.find_all("button") if each.get_text() == button]
        assert len(found) == 1, button
        sent = {**fields, **(typed or {}), str(found[0]["name"]): str(found[0]["value"])}
        return self._visitor.post(self.url, sent)


class Visitor:
    """Somebody at a browser, on the pages of one server."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._http = httpx.Client(trust_env=False, timeout=30, verify=trusted(), follow_redirects=True)

    def get(self, path: str = "", **query: str) -> Page:
        return Page(self, self.raw("GET", path, params=query or None))

    def post(self, url: str, sent: Mapping[str, str]) -> Page:
        lines = {name: re.sub("\r\n|\r|\n", "\r\n", text) for name, text in sent.items()}
        origin = "/".join(url.split("/")[:3])
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        return Page(self, self.raw("POST", url, data=lines, headers=headers))

    def raw(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        url = path if path.startswith("http") else self.root + path
        return self._http.request(method, url, params=params, data=data, headers=headers)

    def close(self) -> None:
        self._http.close()


def _value(part: Tag) -> str:
    if part.name == "textarea":
        return part.get_text().removeprefix("\n")
    if part.name == "select":
        options = part.find_all("option")
        chosen = [option for option in options if option.has_attr("selected")] or options[:1]
        return str(chosen[0]["value"])
    return str(part.get("value", ""))

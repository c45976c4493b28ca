"""Asking a system, one request at a time, and finding places in its answers."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from requests import RequestException, Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from talk_pipeline.audit import NotAuditableError, UnreachableError

Words = Mapping[str, Any]
_STEP = re.compile(r"\.?(?:([^.\[\]]+)|\['([^']+)'\]|\[(-?\d+)\]|\[([^=\]]+)=([^\]]*)\])")


class Connection:
    """One system, said as in a shop's description; secrets by the names that `secret` knows them by."""

    def __init__(self, base: str, said: Words, secret: Callable[[str], str]) -> None:
        self._root, self._base, self._said = base, base + said.get("base_path", ""), said
        self._session, auth = Session(), said.get("auth", {})
        self._session.auth = lambda request: request  # whatever ~/.netrc holds
        codes = (408, 420, 425, 429, 500, 502, 503, 504)
        again = Retry(
            4, status_forcelist=codes, allowed_methods=None, backoff_factor=0.2, raise_on_status=False
        )
        self._session.mount(f"{urlsplit(base).scheme}://", HTTPAdapter(max_retries=again))
        self._session.headers.update({"Accept": "application/json", **said.get("headers", {})})
        match auth.get("type", "bearer"):
            case "bearer":
                held = f"Bearer {secret(auth.get('token', 'CUSTOMWEBSHOP_TOKEN'))}"
                self._session.headers["Authorization"] = held
            case "basic":
                self._session.auth = secret(auth["user"]), secret(auth["password"])
            case "header":
                self._session.headers[auth["name"]] = secret(auth["value"])
            case "query":
                self._session.params = {auth["name"]: secret(auth["value"])}
            case "login":
                body = {name: secret(variable) for name, variable in auth["body"].items()}
                token = text(at(self._read(self.ask(auth["url"], json=body)), auth["token"])) or ""
                held = auth.get("value", "Bearer {token}").replace("{token}", token)
                self._session.headers[auth.get("header", "Authorization")] = held
            case "oauth2" if "credentials_in" not in auth:
                form = {name: secret(auth[name]) for name in ("client_id", "client_secret")}
                form |= {"grant_type": "client_credentials", "scope": auth.get("scope", "")}
                token = text(at(self._read(self.ask(auth["token_url"], data=form)), "access_token")) or ""
                self._session.headers["Authorization"] = f"Bearer {token}"
            case kind if kind != "none":
                raise NotAuditableError(
                    f"{base}: the audit knows no auth of type {kind} with {', '.join(auth)}"
                )

    def ask(self, where: str, query: Words | None = None, **body: Any) -> Response:
        """What is answered at an address, be it that nothing is there (404)."""
        start = self._root if body else self._base
        url, pace = where if where.startswith("http") else start + where, self._said.get("limits", {})
        time.sleep(float(pace.get("seconds", 60)) / float(pace.get("requests", 6000)))
        try:
            answer = self._session.request(
                "POST" if body else "GET", url, query, timeout=300, allow_redirects=False, **body
            )
        except RequestException as error:
            raise UnreachableError(f"{url} does not answer: {error}") from None
        if answer.status_code in (401, 403) or (body and not answer.ok):
            raise NotAuditableError(f"{url} does not let the audit in: it answers {answer.status_code}")
        if answer.status_code not in (200, 201, 204, 404):
            raise UnreachableError(f"{url} answers {answer.status_code}")
        return answer

    def read(self, where: str) -> Any:
        """The document at an address, its numbers with all their digits; None where nothing is."""
        return self._read(self.ask(where))

    def pages(self, path: str, said: Words, query: Words) -> Iterator[Any]:
        """The entries of a list to its end, where `said` has its records, going on as its paging says."""
        paging, records, before = said.get("paging", {}), said.get("records"), None
        style, number, count = paging.get("style"), int(paging.get("start", "1")), 0
        sized = {paging["size_parameter"]: paging.get("size", "100")} if "size_parameter" in paging else {}
        base = asked = {
            **query,
            **sized,
            **({paging.get("parameter", "page"): number} if style == "page" else {}),
        }
        while True:
            answer = self.ask(path, asked)
            data = self._read(answer)
            rows = at(data, records) if records else data
            rows = (
                list(rows.values())
                if records and isinstance(rows, dict)
                else []
                if data is None and count
                else rows
            )
            if not isinstance(rows, list) or (rows and rows == before):
                raise UnreachableError(f"{self._base}{path} shows no list, or every page alike")
            yield from rows
            number, count, before = number + 1, count + len(rows), rows
            going_on = {"page": str(number), "offset": str(count)}.get(style or "") if rows else None
            going_on = (
                going_on
                or text(at(data, paging.get("next", "_")))
                or (answer.links.get("next", {}).get("url") if style == "link" else None)
            )
            if not going_on:
                return
            if style in ("link", "next_url"):  # on this very server: credentials go nowhere else
                whole, home = urlsplit(urljoin(answer.url, going_on)), urlsplit(self._base)
                path, asked = whole._replace(scheme=home.scheme, netloc=home.netloc).geturl(), {}
            else:
                asked = {**base, paging.get("parameter", style): going_on}

    @staticmethod
    def _read(answer: Response) -> Any:
        try:
            return (
                json.loads(answer.content, parse_float=str, parse_int=str)
                if answer.status_code < 204
                else None
            )
        except ValueError as error:
            raise UnreachableError(f"{answer.url.partition('?')[0]} answers with no JSON: {error}") from None


def at(data: Any, path: str) -> Any:
    """What is at a path such as `a.b`, `list[0].a` or `list[kind=mail].value`; None where nothing is."""
    for name, quoted, index, key, wanted in _STEP.findall(path):
        if name or quoted:
            data = data.get(name or quoted) if isinstance(data, dict) else None
        elif index:
            data = dict(enumerate(data)).get(int(index)) if isinstance(data, list) else None
        else:
            entries = data if isinstance(data, list) else []
            data = next((one for one in entries if text(at(one, key)) == wanted.strip("'\"")), None)
    return data


def text(value: Any) -> str | None:
    """A JSON value as text, a blank as nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    return (
        json.dumps(value) if isinstance(value, dict | list) else None if value in (None, "") else str(value)
    )

"""Asking a system, one request at a time, and finding places in its answers."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from requests import RequestException, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError
from urllib3 import Retry

from talk_pipeline.audit import NotAuditableError, UnreachableError

Words = Mapping[str, Any]
_STEP = re.compile(r"\.?(?:([^.\[\]]+)|\['([^']+)'\]|\[(-?\d+)\]|\[([^=\]]+)=([^\]]*)\])")
_HERE = ("127.0.0.1", "::1", "localhost")  # no proxy of the environment leads there
# of a condition, where none was set, or of the moment: no answer to what was asked
_NONE = {408, 409, 412, 416, 417, 420, 421, 423, 424, 425, 428, 429, *range(500, 600)} - {501, 505}
_AGAIN = Retry(4, status_forcelist=_NONE, allowed_methods=None, backoff_factor=0.2, raise_on_status=False)


class Connection:
    """One system, said as in a shop's description; secrets by the names that `secret` knows them by."""

    def __init__(self, base: str, said: Words, secret: Callable[[str], str]) -> None:
        self._root, self.base, pace = base, base + said.get("base_path", ""), said.get("limits", {})
        self._pause = float(pace.get("seconds", 60)) / float(pace.get("requests", 6000))
        self._session = Session()
        self._session.auth = lambda request: request  # whatever ~/.netrc holds
        self._session.trust_env = urlsplit(base).hostname not in _HERE
        self._session.mount(f"{urlsplit(base).scheme}://", HTTPAdapter(max_retries=_AGAIN))
        self._session.headers.update({"Accept": "application/json", **said.get("headers", {})})
        self._auth, self._secret = said.get("auth", {}), secret
        self._enter()

    def _enter(self) -> None:
        auth, secret = self._auth, self._secret
        header, value = auth.get("header", "Authorization"), auth.get("value", "Bearer {token}")
        kind = auth.get("type", "bearer")
        if kind == "bearer":
            token = secret(auth.get("token", "CUSTOMWEBSHOP_TOKEN"))
        elif kind == "login":
            body = {name: secret(variable) for name, variable in auth["body"].items()}
            token = at(self._ask(auth["url"], json=body)[0], auth["token"])
        elif kind == "oauth2" and not {"credentials_in", "refresh_token"} & set(auth):
            form = {name: secret(auth[name]) for name in ("client_id", "client_secret")}
            form |= {"grant_type": "client_credentials", "scope": auth.get("scope", "")}
            token = at(self._ask(auth["token_url"], data=form)[0], "access_token")
        elif kind == "header":
            header, value, token = auth["name"], "{token}", secret(auth["value"])
        elif kind == "query":
            self._session.params = {auth["name"]: secret(auth["value"])}
            return
        elif kind == "basic":
            self._session.auth = secret(auth["user"]), secret(auth["password"]) if "password" in auth else ""
            return
        elif kind == "none":
            return
        else:
            raise NotAuditableError(f"the audit knows no auth of type {kind} with {', '.join(auth)}")
        self._session.headers[header] = value.replace("{token}", text(token) or "")

    def _ask(
        self, where: str, query: Words | None = None, *, tries: int = 3, **body: Any
    ) -> tuple[Any, Response]:
        """The document at an address, or None where nothing is, with all digits of its numbers; and the answer."""
        url = where if where.startswith("http") else (self._root if body else self.base) + where
        if not body and urlsplit(url)[:2] != urlsplit(self.base)[:2]:
            raise NotAuditableError(f"{url} is on another host, where credentials do not go")
        time.sleep(self._pause)
        try:
            answer = self._session.request(
                "POST" if body else "GET", url, query, timeout=300, allow_redirects=False, **body
            )
            there = answer.status_code < 204
            known = json.loads(answer.content, parse_float=str, parse_int=str) if there else None
        except (RequestException, ValueError, RecursionError) as error:
            if isinstance(error, ChunkedEncodingError) and tries > 1:  # it broke off, which no adapter sees
                return self._ask(where, query, tries=tries - 1, **body)
            raise UnreachableError(f"{url} gives no usable answer: {error}") from None
        if answer.status_code == 401 and tries > 1 and not body:  # a token has ended, or the guard erred
            self._enter()
            return self._ask(where, query, tries=tries - 1)
        if answer.status_code in (401, 403) or (body and not answer.ok):
            raise NotAuditableError(f"{url} does not let the audit in: it answers {answer.status_code}")
        if answer.status_code not in (200, 201, 204, 404):
            raise UnreachableError(f"{url} answers {answer.status_code}")
        return known, answer

    def read(self, where: str) -> Any:
        """The document at an address; None where nothing is."""
        return self._ask(where)[0]

    def pages(self, path: str, said: Words, query: Words) -> Iterator[Any]:
        """The entries of a list to its end, where `said` has its records, going on as its paging says."""
        paging, before, count = said.get("paging", {}), None, 0
        style, number = paging.get("style"), int(paging.get("start", "1"))
        parameter = paging.get("parameter", "page" if style == "page" else style)
        base = (
            {**query, paging["size_parameter"]: paging.get("size", "100")}
            if "size_parameter" in paging
            else query
        )
        asked = {**base, parameter: number} if style == "page" else base
        been, empty = Counter[str](), 0
        while True:
            place = f"{path} {asked or ''}".strip()
            been[place] += 1
            if been[place] > 2 or empty > 100:  # a page that shifts may lead to a place twice
                raise UnreachableError(f"{self.base}: the list comes to no end at {place}")
            data, answer = self._ask(path, asked)
            if at(data, said.get("broken_off", "_")):
                raise UnreachableError(f"{self.base}{place}: the page broke off")
            rows = at(data, said.get("records", ""))
            if "records" in said and isinstance(rows, dict):
                rows = list(rows.values())
            rows = [] if data is None and count else rows
            if not isinstance(rows, list) or (rows and rows == before):
                raise UnreachableError(f"{self.base}{path} shows no list, or every page alike")
            yield from rows
            empty = 0 if rows else empty + 1
            number, count, before = number + 1, count + len(rows), rows
            following: Any = {"page": number, "offset": count}.get(style) if rows else None
            following = following or text(at(data, paging.get("next", "_")))
            following = following or (answer.links.get("next", {}).get("url") if style == "link" else None)
            if not following:
                return
            if style in ("link", "next_url"):  # on this very server: credentials go nowhere else
                whole, home = urlsplit(urljoin(answer.url, following)), urlsplit(self.base)
                path, asked = whole._replace(scheme=home.scheme, netloc=home.netloc).geturl(), {}
            else:
                asked = {**base, parameter: following}


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
    if isinstance(value, dict | list):
        return json.dumps(value)
    return None if value in (None, "") else str(value)

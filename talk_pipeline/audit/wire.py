"""Asking a system, one request at a time, and finding places in its answers."""

import json
import re
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.parsers.expat import ExpatError

import xmltodict
from requests import RequestException, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError
from urllib3 import Retry

from talk_pipeline.audit import NotAuditableError, UnreachableError

Words = Mapping[str, Any]
_STEP = re.compile(r"\.?(?:([^.\[\]]+)|\['([^']+)'\]|\[(-?\d+)\]|\[([^=\]]+)=([^\]]*)\])")
NOWHERE = ("~", "null", "")  # as YAML says nothing
_HERE = ("127.0.0.1", "::1", "localhost")  # no proxy of the environment leads there
# of a condition, where none was set, or of the moment: no answer to what was asked
_NONE = {408, 409, 412, 416, 417, 420, 421, 423, 424, 425, 428, 429, *range(500, 600)} - {501, 505}
_AGAIN = Retry(4, status_forcelist=_NONE, allowed_methods=None, backoff_factor=0.2, raise_on_status=False)


def _certificates() -> str | bool:
    """What SSL_CERT_FILE or SSL_CERT_DIR name, as for the pipeline; requests looks at others by itself."""
    named = ssl.get_default_verify_paths()
    if named.cafile and named.cafile != named.openssl_cafile:
        return named.cafile
    return named.capath if named.capath and named.capath != named.openssl_capath else True


class Connection:
    """One system, said as in a shop's description; secrets by the names that `secret` knows them by."""

    def __init__(self, base: str, said: Words, secret: Callable[[str], str]) -> None:
        self._root, self.base, pace = base, base + said.get("base_path", ""), said.get("limits", {})
        self._pause = float(pace.get("seconds", 60)) / float(pace.get("requests", 6000))
        self._session = Session()
        self._session.auth = lambda request: request  # whatever ~/.netrc holds
        self._session.trust_env = urlsplit(base).hostname not in _HERE
        self._session.verify = _certificates()
        self._session.mount(f"{urlsplit(base).scheme}://", HTTPAdapter(max_retries=_AGAIN))
        self._xml: Words | None = said.get("xml")
        kind = "application/json" if self._xml is None else self._xml.get("content_type", "application/xml")
        self._session.headers.update({"Accept": kind, **said.get("headers", {})})
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
        self, where: str, query: Words | None = None, *, asks: Any = None, tries: int = 3, **entering: Any
    ) -> tuple[Any, Response]:
        """The document at an address, or None where nothing is, with all digits of its numbers; and the answer.

        It is asked for by POST of `asks`, where that is said; `entering` is what is sent to be let in.
        """
        home = urlsplit(self.base)
        if home.path and where.startswith(f"{home.path}/"):
            where = f"{home.scheme}://{home.netloc}{where}"
        url = where if where.startswith("http") else (self._root if entering else self.base) + where
        if not entering and urlsplit(url)[:2] != urlsplit(self.base)[:2]:
            raise NotAuditableError(f"{url} is on another host, where credentials do not go")
        time.sleep(self._pause)
        body = entering or ({} if asks is None else self._body(asks))
        try:
            answer = self._session.request(
                "POST" if body else "GET", url, query, timeout=300, allow_redirects=False, **body
            )
            known = self._understood(answer.content, entering) if answer.status_code < 204 else None
        except (RequestException, ValueError, ExpatError, RecursionError) as error:
            if isinstance(error, ChunkedEncodingError) and tries > 1:  # it broke off, which no adapter sees
                return self._ask(where, query, asks=asks, tries=tries - 1, **entering)
            raise UnreachableError(f"{url} gives no usable answer: {error}") from None
        if answer.status_code == 401 and tries > 1 and not entering:  # a token has ended, or the guard erred
            self._enter()
            return self._ask(where, query, asks=asks, tries=tries - 1)
        if answer.status_code in (401, 403) or (entering and not answer.ok):
            raise NotAuditableError(f"{url} does not let the audit in: it answers {answer.status_code}")
        if answer.status_code not in (200, 201, 204, 404):
            raise UnreachableError(f"{url} answers {answer.status_code}")
        return known, answer

    def _body(self, asks: Any) -> dict[str, Any]:
        if self._xml is None:
            return {"json": asks}
        kind = {"Content-Type": self._xml.get("content_type", "application/xml")}
        return {"data": xmltodict.unparse(asks).encode(), "headers": kind}

    def _understood(self, content: bytes, entering: Words) -> Any:
        if self._xml is None or entering:
            return json.loads(content, parse_float=str, parse_int=str)
        return _of_xml(content, self._xml)

    def read(self, where: str, asks: Any = None, query: Words | None = None) -> Any:
        """The document at an address, asked for by POST where it says what; None where nothing is."""
        return self._ask(where, query, asks=asks)[0]

    def pages(self, path: str, said: Words, query: Words) -> Iterator[Any]:
        """The entries of a list to its end."""
        return (entry for entry, _ in self.pages_beside(path, said, query))

    def pages_beside(self, path: str, said: Words, query: Words) -> Iterator[tuple[Any, Any]]:
        """The same, where `said` has its records, going on as its paging says; each with the answer it is from."""
        told, paging = said.get("list", {}), Paging(said.get("paging", {}))
        place_of_list = "" if said.get("records") in (None, *NOWHERE) else said["records"]
        path, asked = told.get("path", "{path}").replace("{path}", path), paging.first(query)
        been, empty, before = Counter[str](), 0, None
        while True:
            place = f"{path} {asked or ''}".strip()
            been[place] += 1
            if been[place] > 2 or empty > 100:  # a page that shifts may lead to a place twice
                raise UnreachableError(f"{self.base}: the list comes to no end at {place}")
            if "body" in told:  # in which every parameter is a place
                data, answer = self._ask(path, asks=placed(told["body"], asked))
            else:
                data, answer = self._ask(path, asked)
            if at(data, said.get("broken_off", "_")):
                raise UnreachableError(f"{self.base}{place}: the page broke off")
            rows = at(data, place_of_list)
            if place_of_list and isinstance(rows, dict):
                rows = list(rows.values())
            past_the_end = data is None and paging.records
            rows = [] if past_the_end or _is_none(rows, answer, {**said, **told}) else rows
            if not isinstance(rows, list) or (rows and rows == before):
                raise UnreachableError(f"{self.base}{path} shows no list, or every page alike")
            yield from ((row, data) for row in rows)
            empty, before = 0 if rows else empty + 1, rows
            following = paging.after(rows, data, answer)
            if not following:
                return
            if paging.leads_on:  # on this very server: credentials go nowhere else
                whole, home = urlsplit(urljoin(answer.url, following)), urlsplit(self.base)
                path, asked = whole._replace(scheme=home.scheme, netloc=home.netloc).geturl(), {}
            else:
                asked = paging.further(query, following)


class Paging:
    """How a list goes on, and how far it was read.

    Attributes:
        pages: that were read.
        records: that were in them.
        leads_on: what follows is told as an address, and not as a parameter.
    """

    def __init__(self, said: Words) -> None:
        self._said, self._style, self._size = said, said.get("style"), said.get("size", "100")
        self._parameter = said.get("parameter", "page" if self._style == "page" else self._style)
        self.leads_on = self._style in ("link", "next_url")
        self.pages = self.records = 0

    def first(self, query: Words) -> Words:
        """What is asked for the first page."""
        begins = self._counted()
        return self._sized(query) if begins is None else self.further(query, begins)

    def further(self, query: Words, following: Any) -> Words:
        """What is asked for a page after it."""
        return {**self._sized(query), self._parameter: following}

    def after(self, rows: list[Any], data: Any, answer: Response | None) -> Any:
        """What leads to the page after an answer, or after what it holds; nothing where that was the last."""
        self.pages, self.records = self.pages + 1, self.records + len(rows)
        following = self._counted() if rows else None
        following = following or _said(self._said.get("next", "_"), data, answer)
        if answer is not None and self._style == "link":
            following = following or answer.links.get("next", {}).get("url")
        return None if self._is_last(rows, data, answer) else following

    def _sized(self, query: Words) -> Words:
        name = self._said.get("size_parameter")
        return {**query, name: int(self._size)} if name else query

    def _counted(self) -> Any:
        """The next page, where it is known by how many there were."""
        if self._style == "page":
            return int(self._said.get("start", "1")) + self.pages
        if self._style == "offset":
            if "value" not in self._said:
                return self.records  # in a body it is a number
            return self._said["value"].replace("{size}", self._size).replace("{offset}", str(self.records))
        return None

    def _is_last(self, rows: list[Any], data: Any, answer: Response | None) -> bool:
        """Whether an answer says so, by how many pages or records there are, or in a word."""
        known = (("pages", self.pages), ("total", self.records))
        told = [(_said(self._said.get(name, "_"), data, answer) or "", so_far) for name, so_far in known]
        counted = [so_far >= int(most) for most, so_far in told if most.isdecimal()]
        more = self._said.get("more")
        word = _said(more, data, answer) if more else "true"
        if any(counted) or word in ("false", "0", "no", "N"):
            return True
        if word is None and not counted and self._style != "cursor":  # many leave it out on the last page
            return bool({"size", "size_parameter"} & set(self._said)) and len(rows) < int(self._size)
        return word is None and not rows


def _said(place: str, data: Any, answer: Response | None) -> str | None:
    """What an answer says, be it in a header."""
    header = place.removeprefix("header:")
    if header != place:
        return answer.headers.get(header) if answer is not None else None
    return text(at(data, place))


def _is_none(rows: Any, answer: Response, said: Words) -> bool:
    """Whether an answer with a list, or what stands in its place, says that there are no entries."""
    if answer.status_code != 200:
        return answer.status_code == 204 or str(answer.status_code) in _empty_words(said)
    return says_none(rows, said)


def says_none(rows: Any, said: Words) -> bool:
    """Whether what stands where a list is to be says that there are no entries."""
    words = _empty_words(said)
    return (rows is None and bool(words & {"null", "missing"})) or (rows == {} and "{}" in words)


def _empty_words(said: Words) -> set[str]:
    return {json.dumps(one) if isinstance(one, dict) else str(one) for one in said.get("empty", ())}


def placed(body: Any, parameters: Words) -> Any:
    """The same with each parameter at its place."""
    made = json.loads(json.dumps(body))
    for way, value in parameters.items():
        *names, last = way.split(".")
        there = made
        for name in names:
            there[name] = there.get(name) or {}
            there = there[name]
        there[last] = value
    return made


def _of_xml(content: bytes, said: Words) -> Any:
    """A document as if it were JSON, without what stands before names; one that declares entities is not read."""

    def is_list(path: Any, name: str, value: Any) -> bool:
        way = ".".join(one.rpartition(":")[2] for one in (*(element for element, _ in path), name))
        return any(f".{way}".endswith(f".{one}") for one in said.get("lists", ()))

    def bare(path: Any, name: str, value: Any) -> Any:
        attribute, name = name[:1] == "@", name.removeprefix("@")
        empty = isinstance(value, dict) and value.get("@nil") in ("true", "1")
        return (
            None
            if attribute and name.startswith("xmlns")
            else ("@" * attribute + name.rpartition(":")[2], None if empty else value)
        )

    attributes = said.get("attributes") != "false"
    return xmltodict.parse(content, force_list=is_list, xml_attribs=attributes, postprocessor=bare)


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

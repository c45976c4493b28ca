"""What it costs to read a shop's customers from a server and to land them, beside curl and DuckDB with them.

Pages that are made beforehand, from a server in a process of its own. Raw: every record as the server wrote it, in
a table. Typed: with its values as well. Unchanged: all of it read and landed again, beside the floor of raw. CPU
seconds of whoever reads, the median of the rounds, in turn; the floor reads what it can of JSON, and is not
byte-exact: DuckDB writes numbers anew. `dlt`, where the peers' environment has it, puts typed values into a DuckDB
file of its own and keeps no payload.
"""

import asyncio
import json
import multiprocessing
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb

from talk_pipeline.declarations import checked_files
from talk_pipeline.engine.snapshot import landing, spooling
from talk_pipeline.engine.snapshot.batch import Landing
from talk_pipeline.engine.snapshot.projection import Projector
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.database import State
from talk_pipeline.flows.sides import Side
from talk_pipeline.settings import Settings
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline_tests.bench import books, dlt_peer
from talk_pipeline_tests.bench.engine import COMPANY
from talk_pipeline_tests.bench.result import Result

SIZE, PAGE, ROUNDS = 50_000, 500, 3
FLOW = "customer"
PEERS = Path(os.environ.get("BENCH_PEERS", ".venv/peers/bin/python"))
OWN = ("id", "number", "company_name", "contact_name", "organization_number", "email", "phone", "website")
BESIDES = ("currency", "active", "note", "address.line1", "address.line2", "address.city", "address.region")
VALUES = (*OWN, *BESIDES, "address.postal_code", "address.country")

_PAGES = "select unnest(json_extract(content, '$.data[*]')) as payload from read_text('{}/*.json')"
_RAW = f"create table raw as {_PAGES}"
_EACH = ", ".join(f"payload ->> '$.{path}' as \"{path}\"" for path in VALUES)
_TYPED = f"create table typed as select payload, {_EACH} from ({_PAGES})"


def run(folder: Path, size: int = SIZE) -> dict[str, Result]:
    """Reads everything round by round, in each way."""
    texts = [books.customer(at, False)[0].payload for at in range(size)]
    with _served(_pages(texts)) as url:
        ours: dict[str, list[float]] = {"raw": [], "typed": [], "unchanged": []}
        floor: dict[str, list[float]] = {"raw": [], "typed": []}
        peer: list[float] = []
        for at in range(ROUNDS):
            place = folder / str(at)
            place.mkdir()
            for what, seconds in asyncio.run(_landed(place, url, texts)).items():
                ours[what].append(seconds)
            for what, query in (("raw", _RAW), ("typed", _TYPED)):
                floor[what].append(_floor(place / what, url, query, pages=-(-size // PAGE)))
            floor["unchanged"] = floor["raw"]
            if _has_dlt():
                peer.append(_dlt(place / "dlt", url, size))
    results = {
        f"landing_{what}": Result(
            median(ours[what]) / median(floor[what]), allowed, "lower", "x curl and DuckDB"
        )
        for what, allowed in (("raw", 1.0), ("typed", 2.5), ("unchanged", 1.0))
    }
    for what in ours:
        cost = median(ours[what]) / size * 1e6
        print(f"  {what}: {cost:.0f} us of CPU a record, floor {median(floor[what]) / size * 1e6:.0f}")
    if peer:
        print(f"  dlt: {median(peer) / size * 1e6:.0f} us of CPU a record")
        results["landing_dlt"] = Result(median(peer) / median(ours["typed"]), 4, "higher", "x our CPU")
    return results


def _pages(texts: list[str]) -> list[bytes]:
    """As the shop says them, each with the cursor of the next one."""
    pages = [texts[at : at + PAGE] for at in range(0, len(texts), PAGE)]
    return [
        f'{{"data":[{",".join(page)}],"next_cursor":{json.dumps(str(at)) if at < len(pages) else "null"}}}'.encode()
        for at, page in enumerate(pages, start=1)
    ]


async def _landed(folder: Path, url: str, texts: list[str]) -> dict[str, float]:
    """The pipeline's own way: raw is what lies beside the state, typed is the whole landing."""
    flows, description = checked_files(Settings())
    state = State(folder)
    http = Http("shop", url, limits=Limits(1_000_000, 60, 5, folder), longest_seconds=60)
    with state.open() as db:
        projector = Projector(flows[FLOW], Side.SHOP, COMPANY)
        async with Customwebshop(http, flows, description=description) as shop:
            raw, typed = await _read(db, shop, projector)
            _, unchanged = await _read(db, shop, projector)
        held = dict(db.execute("select id, payload from snapshot").fetchall())
        assert held == {json.loads(text)["id"]: text for text in texts}
    state.release()
    state.beside.close()
    return {"raw": raw, "typed": typed, "unchanged": unchanged}


async def _read(db: Connection, shop: Customwebshop, projector: Projector) -> tuple[float, float]:
    """What it costs to have all of it beside the state, and until it has landed."""
    began = process_time()
    async for page in shop.scan(FLOW, since=None):
        spooling.spool(db, page)
    raw = process_time() - began
    decode = partial(shop.decode, FLOW)
    landing.land(db, projector, decode, landing=Landing(fetched=True, full=True))
    return raw, process_time() - began


def _floor(folder: Path, url: str, query: str, *, pages: int) -> float:
    folder.mkdir()
    asked = "\n".join(
        f'url = "{url}/customers?limit={PAGE}&cursor={at}"\noutput = "{folder}/{at}.json"'
        for at in range(pages)
    )
    (folder / "urls").write_text(asked)

    def read() -> None:
        subprocess.run(["curl", "--silent", "--fail", "--config", folder / "urls"], check=True)
        with duckdb.connect(str(folder / "floor.duckdb")) as db:
            db.execute(query.format(folder))

    return _spent(read)


def _spent(work: Callable[[], object]) -> float:
    """CPU seconds of this process and of those it waited for."""
    before = os.times()
    work()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


def _dlt(folder: Path, url: str, size: int) -> float:
    folder.mkdir()
    done = subprocess.run(
        [str(PEERS), dlt_peer.__file__, str(folder), url], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["rows"] == size
    return float(told["cpu"])


def _has_dlt() -> bool:
    asked = [str(PEERS), "-c", "import dlt"]
    return PEERS.exists() and subprocess.run(asked, capture_output=True, check=False).returncode == 0


@contextmanager
def _served(pages: list[bytes]) -> Iterator[str]:
    """These pages at an address of this machine, from a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    serving = spawn.Process(target=_serve, args=(pages, there))
    serving.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        serving.terminate()
        serving.join()


def _serve(pages: list[bytes], told: Any) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            page = pages[int(asked.get("cursor", ["0"])[0])]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Nothing is told of requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.send(server.server_port)
    server.serve_forever()

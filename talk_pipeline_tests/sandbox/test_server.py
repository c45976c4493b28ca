"""Starting, stopping and going on: ports, state files, processes that are killed."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from talk_pipeline.sandbox import SandboxError
from talk_pipeline.sandbox.server import Sandbox
from talk_pipeline_tests.sandbox.clients import CentralClient, ShopClient

NAMES = [
    "CUSTOMWEBSHOP_URL",
    "CUSTOMWEBSHOP_TOKEN",
    "BUSINESSCENTRAL_URL",
    "BUSINESSCENTRAL_COMPANY_ID",
    "BUSINESSCENTRAL_TOKEN_URL",
    "BUSINESSCENTRAL_CLIENT_ID",
    "BUSINESSCENTRAL_CLIENT_SECRET",
]
SERVE = """
import sys
from pathlib import Path
from talk_pipeline.sandbox.server import serve
serve(state=Path(sys.argv[1]))
"""


def test_the_environment(sandbox: Sandbox) -> None:
    environment = sandbox.environment()
    assert list(environment) == NAMES
    assert all(environment.values())
    assert environment["BUSINESSCENTRAL_URL"].endswith("/Sandbox/api/v2.0")
    assert environment["BUSINESSCENTRAL_TOKEN_URL"].endswith("/oauth2/v2.0/token")
    assert environment["CUSTOMWEBSHOP_URL"].count("/") == 2


def test_a_state_is_continued(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state.sqlite"
    with Sandbox(state=state, size=5, seed=3) as first:
        central, shop = CentralClient(first), ShopClient(first)
        customer = central.customer(creditLimit=12.5)
        order = central.order_of(quantity=3, price=7)
        number = central.customer()["number"]
        key = {"Idempotency-Key": "k"}
        made = shop.call("POST", "customers", {"phone": "7"}, headers=key).json()
        environment = first.environment()
        central.close()
        shop.close()
    with Sandbox(state=state) as second:
        central, shop = CentralClient(second), ShopClient(second)
        assert second.environment()["BUSINESSCENTRAL_COMPANY_ID"] == environment["BUSINESSCENTRAL_COMPANY_ID"]
        assert central.get(f"customers({customer['id']})")["@odata.etag"] == customer["@odata.etag"]
        assert central.get(f"customers({customer['id']})")["creditLimit"] == customer["creditLimit"]
        assert len(central.lines(order)) == 1
        assert central.lines(order)[0]["netAmount"] == 21
        assert int(central.customer()["number"][1:]) == int(number[1:]) + 1
        assert (
            central.update(f"customers({customer['id']})", city="X")["@odata.etag"] != customer["@odata.etag"]
        )
        assert shop.get(f"customers/{made['id']}") == made
        assert shop.call("POST", "customers", {"phone": "7"}, headers=key).json() == made
        central.close()
        shop.close()


KILLED_WHILE_FILLING = """
import os, signal, sys
from pathlib import Path
from talk_pipeline.sandbox.businesscentral import setup
from talk_pipeline.sandbox.server import serve
setup.fill = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
serve(state=Path(sys.argv[1]), size=30)
"""


def test_what_was_killed_while_it_was_filled_is_filled_anew(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_FILLING, str(state)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert state.exists()
    with Sandbox(state=state, size=4) as sandbox:
        central, shop = CentralClient(sandbox), ShopClient(sandbox)
        assert len(shop.get("customers?limit=500")["data"]) == 4
        assert central.all_of("customers")
        central.close()
        shop.close()


def test_a_state_that_was_never_filled_is_not_taken_for_a_ready_one(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    with Sandbox(state=state, size=4):
        pass
    with sqlite3.connect(state) as db:
        db.execute("DELETE FROM record WHERE place LIKE 'bc/%' AND place NOT LIKE 'bc/\\_root/%' ESCAPE '\\'")
    db.close()
    with pytest.raises(SandboxError, match="was not filled completely.*delete it, or name another file"):
        Sandbox(state=state).start()


def test_each_new_state_is_another_company() -> None:
    ids = []
    for _ in range(2):
        with Sandbox(size=1) as sandbox:
            ids.append(sandbox.environment()["BUSINESSCENTRAL_COMPANY_ID"])
    assert ids[0] != ids[1]


def test_the_same_seed_gives_the_same_records() -> None:
    found = []
    for _ in range(2):
        with Sandbox(size=8, seed=5) as sandbox:
            central, shop = CentralClient(sandbox), ShopClient(sandbox)
            orders = central.all_of("salesOrders?$expand=salesOrderLines")
            found.append((central.all_of("customers"), orders, shop.get("orders?limit=500")))
            central.close()
            shop.close()
    assert found[0] == found[1]


def test_the_local_currency_is_the_one_asked_for() -> None:
    with Sandbox(size=8, currency="EUR") as sandbox:
        central, shop = CentralClient(sandbox), ShopClient(sandbox)
        (company,) = central.all_of("companyInformation")
        codes = {one["code"] for one in central.all_of("currencies")}
        spoken = {one["currency"] for one in shop.get("products?limit=500")["data"]}
        central.close()
        shop.close()
    assert company["currencyCode"] == "EUR"
    assert "EUR" not in codes
    assert "DKK" in codes
    assert spoken == {"EUR"}
    with pytest.raises(SandboxError, match="'EURO' is no currency"):
        Sandbox(currency="EURO")


def test_a_killed_process_loses_nothing_it_answered(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(state)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        environment = {}
        for line in process.stdout:
            name, _, value = line.strip().partition("=")
            environment[name] = value
            if name == "SANDBOX_READY":
                break
        assert list(environment) == [*NAMES, "SANDBOX_READY"]
        headers = {"Authorization": f"Bearer {environment['CUSTOMWEBSHOP_TOKEN']}"}
        url = f"{environment['CUSTOMWEBSHOP_URL']}/api/v1/customers"
        made = [
            httpx.post(url, json={"phone": str(n)}, headers=headers, trust_env=False).json() for n in range(5)
        ]
    finally:
        process.kill()
        process.communicate()
    with Sandbox(state=state) as sandbox:
        shop = ShopClient(sandbox)
        assert [shop.get(f"customers/{one['id']}") for one in made] == made
        shop.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_when_told(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path / "state.sqlite")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    while "SANDBOX_READY=1" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_a_busy_port_is_a_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError, match=rf"cannot listen on 127.0.0.1:{port}.*--port-bc"):
            Sandbox(port_bc=port).start()


def test_given_ports_are_used() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Sandbox(size=1, port_shop=port) as sandbox:
        assert sandbox.environment()["CUSTOMWEBSHOP_URL"] == f"http://127.0.0.1:{port}"


def test_a_file_that_is_no_state_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("once upon a time" * 100)
    with pytest.raises(SandboxError, match="cannot use the state file"):
        Sandbox(state=path).start()
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE gnome (name TEXT)")
    db.close()
    with pytest.raises(SandboxError, match="not a state file"):
        Sandbox(state=other).start()
    with pytest.raises(SandboxError, match="cannot use the state file"):
        Sandbox(state=tmp_path).start()


def test_two_sandboxes_do_not_share_a_state(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    with Sandbox(state=state, size=1), pytest.raises(SandboxError, match="another sandbox is using it"):
        Sandbox(state=state).start()
    with Sandbox(state=state):
        pass


def test_a_profile_there_is_not_is_a_clear_error() -> None:
    with pytest.raises(SandboxError, match="no shop profile gnome; there are reference"):
        Sandbox(shop_profile="gnome").start()


def test_a_size_of_less_than_nothing_is_a_clear_error() -> None:
    with pytest.raises(SandboxError, match="size"):
        Sandbox(size=-1).start()


def test_stopping_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    sandbox = Sandbox(size=1).start()
    assert threading.active_count() > before
    sandbox.stop()
    sandbox.stop()
    assert threading.active_count() == before


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
def test_stopping_closes_what_was_opened(tmp_path: Path) -> None:
    def opened() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    with Sandbox(size=1, state=tmp_path / "warm"):
        pass
    before = opened()
    for number in range(3):
        with Sandbox(size=1, state=tmp_path / str(number)):
            pass
    assert opened() <= before


def test_serve_says_where_the_pages_are(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path / "state.sqlite")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        while "SANDBOX_READY=1" not in process.stdout.readline():
            assert process.poll() is None
        addresses = re.findall(r"http://\S+", process.stdout.readline())
        found = [httpx.get(address, trust_env=False).text for address in addresses]
        assert ["<h1>Customwebshop</h1>" in found[0], "<h1>Business Central</h1>" in found[1]] == [True, True]
    finally:
        process.kill()
        process.communicate()


def test_what_runs_beside_a_sandbox_can_say_where_the_pages_are(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    done = subprocess.run(
        [root / "scripts" / "with-sandbox", "sh", "-c", 'echo "$SANDBOX_PAGES"'],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert re.fullmatch(r"to look and edit by hand: http://\S+ \(shop\), http://\S+ \(.*\)\n", done.stdout)

"""Both servers in one thread, and the environment that points at them.

`Sandbox` is for tests and for whoever wants the servers beside other work; `serve` is the command: it blocks
until it is told to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn

from talk_pipeline.sandbox.businesscentral import setup
from talk_pipeline.sandbox.businesscentral.app import ROOT_PATH, BusinessCentral
from talk_pipeline.sandbox.businesscentral.backoffice import BackOffice as CentralBackOffice
from talk_pipeline.sandbox.businesscentral.tokens import TOKEN_PATH, registrations
from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.customwebshop.app import Customwebshop
from talk_pipeline.sandbox.customwebshop.backoffice import BackOffice as ShopBackOffice
from talk_pipeline.sandbox.customwebshop.profiles import REFERENCE
from talk_pipeline.sandbox.errors import SandboxError
from talk_pipeline.sandbox.gateway import Gateway
from talk_pipeline.sandbox.pages.site import ROOT as PAGES
from talk_pipeline.sandbox.same_origin import from_here_only
from talk_pipeline.sandbox.seed import LOCAL, Seeds
from talk_pipeline.sandbox.store import Store

_START_TIMEOUT = 30.0


class Sandbox:
    """The web shop and Business Central on the loopback address.

    Args:
        state: the file the records live in; continued if it exists, else made. Without one they are gone with
            the sandbox.
        size: for a new state, how many customers and products (and half as many as orders) to generate;
            without it the small committed set is used.
        seed: what the generated records follow from.
        currency: the local one of Business Central.
        port_shop: port of the shop; 0 for any free one.
        port_bc: port of Business Central; 0 for any free one.
        host: address to listen on.
        shop_profile: the wire shape the shop speaks.
        applications: how many of those registered with Business Central the environment names.
    """

    def __init__(
        self,
        *,
        state: Path | None = None,
        size: int | None = None,
        seed: int = 1,
        currency: str = LOCAL,
        port_shop: int = 0,
        port_bc: int = 0,
        host: str = "127.0.0.1",
        shop_profile: str = REFERENCE,
        applications: int = 1,
    ) -> None:
        self._state = state
        self._seeds = Seeds(size=size, seed=seed, currency=currency)
        self._ports = {"shop": port_shop, "bc": port_bc}
        self._host = host
        self._shop_profile = shop_profile
        self._applications = applications
        self._shop_environment: dict[str, str] = {}
        self._store: Store | None = None
        self._thread: threading.Thread | None = None
        self._servers: list[uvicorn.Server] = []
        self._company_id = ""
        self._failure: BaseException | None = None

    def start(self) -> Self:
        """Listen on both ports; returns once calls are answered.

        Raises:
            SandboxError: if a port is taken or the state file cannot be used.
        """
        sockets: list[socket.socket] = []
        try:
            for name in ("shop", "bc"):
                sockets.append(self._listen(name))
            self._servers = self._build(sockets)
        except BaseException:
            for sock in sockets:
                sock.close()
            self._close()
            raise
        self._thread = threading.Thread(target=self._run, args=(sockets,), name="sandbox", daemon=True)
        self._thread.start()
        self._wait_until_started()
        return self

    def stop(self) -> None:
        """Stop listening and let go of the state file."""
        for server in self._servers:
            server.should_exit = True
            server.force_exit = True
        if self._thread is not None:
            self._thread.join(timeout=_START_TIMEOUT)
            self._thread = None
        self._close()

    def environment(self) -> dict[str, str]:
        """The settings that point a client at these servers."""
        shop, central = self._addresses()
        return {
            "CUSTOMWEBSHOP_URL": shop,
            **self._shop_environment,
            "BUSINESSCENTRAL_URL": f"{central}{ROOT_PATH}",
            "BUSINESSCENTRAL_COMPANY_ID": self._company_id,
            "BUSINESSCENTRAL_TOKEN_URL": f"{central}{TOKEN_PATH}",
            **registrations(self._applications),
        }

    def pages(self) -> tuple[str, str]:
        """Where the records of the shop and of Business Central can be looked at and edited by hand."""
        shop, central = self._addresses()
        return shop + PAGES, central + PAGES

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- details ----------------------------------------------------------------------------------------------

    def _addresses(self) -> tuple[str, str]:
        return (
            f"http://{self._host}:{self._ports['shop']}",
            f"http://{self._host}:{self._ports['bc']}",
        )

    def _build(self, sockets: list[socket.socket]) -> list[uvicorn.Server]:
        store = self._store = Store(self._state)
        clock_shop, clock_bc = Clock(), Clock()
        shop = Customwebshop(store, clock_shop, profile=self._shop_profile)
        central = BusinessCentral(store, clock_bc)
        # all of it or nothing is in the file: one that was being filled when its process ended is a new one
        with store.transaction():
            if store.fresh:
                setup.make_companies(central.central)
            elif not setup.is_filled(central.central):
                raise SandboxError(
                    f"{self._state} was not filled completely by the sandbox that made it;"
                    " delete it, or name another file with --state"
                )
            offices = ShopBackOffice(shop, self._seeds), CentralBackOffice(central, self._seeds)
            if store.fresh:
                for office in offices:
                    office.reset(size=None, seed=None, empty=False)
        self._shop_environment = shop.environment()
        self._company_id = setup.main_office(central.central).company.id
        self._ports = {
            name: sock.getsockname()[1] for name, sock in zip(("shop", "bc"), sockets, strict=True)
        }
        gateways = (shop.gateway, central.gateway)
        for gateway in gateways:
            if gateway.control is not None:
                gateway.control = from_here_only(gateway.control, host=self._host)
        return [_server(gateway) for gateway in gateways]

    def _listen(self, name: str) -> socket.socket:
        # Named as TCP, since asyncio switches Nagle's algorithm off only for sockets it can tell are TCP;
        # with it on, every answer would wait 40 ms for an acknowledgement.
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((self._host, self._ports[name]))
            sock.listen(256)
        except OSError as error:
            sock.close()
            option = f"--port-{name}"
            raise SandboxError(
                f"the sandbox cannot listen on {self._host}:{self._ports[name]} ({error.strerror});"
                f" choose another port with {option}"
            ) from error
        return sock

    def _run(self, sockets: list[socket.socket]) -> None:
        try:
            asyncio.run(self._serve(sockets))
        except BaseException as error:  # told to whoever waits for the start
            self._failure = error

    async def _serve(self, sockets: list[socket.socket]) -> None:
        await asyncio.gather(
            *(server.serve(sockets=[sock]) for server, sock in zip(self._servers, sockets, strict=True))
        )
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _wait_until_started(self) -> None:
        waited = threading.Event()
        for _ in range(int(_START_TIMEOUT / 0.005)):
            if all(server.started for server in self._servers):
                return
            if self._failure is not None or self._thread is None or not self._thread.is_alive():
                break
            waited.wait(0.005)
        self.stop()
        raise SandboxError(f"the sandbox did not start: {self._failure or 'it took too long'}")

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None


def serve(**options: Any) -> None:
    """Run both servers until SIGINT or SIGTERM; prints the environment, ``SANDBOX_READY=1`` and the pages.

    Args:
        options: those of a `Sandbox`.

    Raises:
        SandboxError: if a port is taken or the state file cannot be used.
    """
    stop = threading.Event()
    with _stop_on_signal(stop), Sandbox(**options) as sandbox:
        for name, value in sandbox.environment().items():
            sys.stdout.write(f"{name}={value}\n")
        sys.stdout.write("SANDBOX_READY=1\n")
        # behind the line that tells scripts to go on, and no assignment: for people
        sys.stdout.write(
            "# to look and edit by hand: {} (shop), {} (Business Central)\n".format(*sandbox.pages())
        )
        sys.stdout.flush()
        stop.wait()


@contextlib.contextmanager
def _stop_on_signal(stop: threading.Event) -> Iterator[None]:
    """Set the event on SIGINT and SIGTERM, and put the handlers back afterwards."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _server(gateway: Gateway) -> uvicorn.Server:
    """A uvicorn server that leaves headers and logging to us."""
    config = uvicorn.Config(
        gateway,
        loop="asyncio",
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        log_level="critical",
        server_header=False,
        date_header=False,
        timeout_keep_alive=120,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)

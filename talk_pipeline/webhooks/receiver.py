"""The receiver of change notices: proves where they come from, answers at once, and wakes a sensor.

It keeps the subscriptions of both systems alive, each by itself, and opens no state: that is a run's. Nothing
depends on it but how soon a change is seen.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from talk_pipeline.addresses import is_address
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import Connections
from talk_pipeline.redaction import holds_entry
from talk_pipeline.settings import SettingsError
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.webhooks.registered import Registered
from talk_pipeline.webhooks.wakeups import wake
from talk_pipeline.wording import counted

log = logging.getLogger(__name__)

RENEW_SECONDS = 6 * 3600.0
RETRY_SECONDS = 60.0
LARGEST_NOTICE = 10_000_000
NOTICE_SECONDS = 10.0
MOST_CONNECTIONS = 200
END_SECONDS = 5


def serve(connections: Connections, *, url: str, host: str, port: int) -> None:
    """Serves until stopped.

    Args:
        connections: the installation.
        url: how the two systems reach this server from outside.
        host: address to listen on.
        port: port to listen on.

    Raises:
        SettingsError: no secret to prove notices by.
    """
    app = receiver(connections, url=url)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=END_SECONDS,
    )


def receiver(connections: Connections, *, url: str) -> Starlette:
    """The application, which subscribes as soon as it answers."""
    if holds_entry(url):
        raise SettingsError(
            "--url: holds a user or a password before the host (not shown): take them out of it"
        )
    if not is_address(url):
        raise SettingsError(f"--url {url}: is not an address; the two systems reach it from outside")
    secret = connections.settings.talk_webhook_secret
    if secret is None:
        raise SettingsError(
            "not set: TALK_WEBHOOK_SECRET (in the environment or in .env); any long random text"
        )

    async def notice(request: Request) -> Response:
        return await _receive(connections, request, secret=secret)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        renewing = [
            asyncio.create_task(_keep_subscribed(connections, side, url=url, secret=secret)) for side in Side
        ]
        yield
        for one in renewing:
            one.cancel()

    return Starlette(routes=[Route("/{side}", notice, methods=["GET", "POST"])], lifespan=lifespan)


async def _receive(connections: Connections, request: Request, *, secret: SecretStr) -> Response:
    name, token = request.path_params["side"], request.query_params.get("validationToken")
    if token is not None and name == Side.BC:
        return PlainTextResponse(token)  # the handshake: the token is the whole answer
    if request.method != "POST" or name not in set(Side):
        return Response(status_code=404)
    side = Side(name)
    body = b""
    try:
        # anybody may open one, and it is not proven yet whose it is
        async with asyncio.timeout(NOTICE_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_NOTICE:
                    return Response(status_code=413)
    except TimeoutError:
        log.warning("%s: a notice did not arrive in time", side)
        return Response(status_code=408)
    except ClientDisconnect:
        log.warning("%s: a notice broke off", side)
        return Response(status_code=400)
    system = connections.system(side)
    flows = system.understand(request.headers, body, secret=secret)
    if flows is None:
        log.warning("%s: a notice that is not authentic was turned away", side)
        return Response(status_code=401)
    if flows:
        await run_in_threadpool(wake, connections.settings.talk_data_dir, side)
        log.info("%s: changes in %s", side, ", ".join(sorted(flows)))
    return Response(status_code=202)


async def _keep_subscribed(connections: Connections, side: Side, *, url: str, secret: SecretStr) -> None:
    while True:
        try:
            await subscribe(connections, side, url=url, secret=secret)
        except SystemFault as fault:
            log.warning("%s: subscribing is tried again: %s", side, fault)
            await asyncio.sleep(RETRY_SECONDS)
        except Exception:  # nobody else would see it, and that nothing is renewed any more
            log.exception("%s: subscribing is tried again", side)
            await asyncio.sleep(RETRY_SECONDS)
        else:
            await asyncio.sleep(RENEW_SECONDS)


async def subscribe(connections: Connections, side: Side, *, url: str, secret: SecretStr) -> int:
    """Subscribes to a system, or renews that; returns how many calls that took."""
    address = f"{url.rstrip('/')}/{side}"
    known = await run_in_threadpool(
        Registered, connections.settings.talk_data_dir, side, url=address, secret=secret
    )
    async with connections.alone(side) as system:
        calls = await system.subscribe(address, secret, known)
    log.info("%s: subscribed by %s", side, counted(calls, "call"))
    return calls

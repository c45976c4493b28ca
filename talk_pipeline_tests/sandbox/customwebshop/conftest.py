"""A sandbox for each profile, started when the first test asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from talk_pipeline.sandbox.server import Sandbox
from talk_pipeline_tests.sandbox.customwebshop.speech import SPEECHES, Wire


@pytest.fixture(scope="session")
def speakers() -> Iterator[Callable[[str], Wire]]:
    running: dict[str, tuple[Sandbox, Wire]] = {}

    def of(profile: str) -> Wire:
        if profile not in running:
            sandbox = Sandbox(shop_profile=profile).start()
            running[profile] = sandbox, Wire(sandbox, SPEECHES[profile])
        return running[profile][1]

    yield of
    for sandbox, wire in running.values():
        wire.close()
        sandbox.stop()


def _emptied(wire: Wire) -> Wire:
    wire.control.reset(empty=True)
    return wire


@pytest.fixture(params=list(SPEECHES))
def wire(request: pytest.FixtureRequest, speakers: Callable[[str], Wire]) -> Wire:
    """The shop without any records, under each profile in turn."""
    return _emptied(speakers(request.param))


@pytest.fixture
def woo(speakers: Callable[[str], Wire]) -> Wire:
    return _emptied(speakers("woocommerce"))


@pytest.fixture
def cents(speakers: Callable[[str], Wire]) -> Wire:
    return _emptied(speakers("cents"))


@pytest.fixture
def enveloped(speakers: Callable[[str], Wire]) -> Wire:
    return _emptied(speakers("enveloped"))


@pytest.fixture
def bare(speakers: Callable[[str], Wire]) -> Wire:
    return _emptied(speakers("bare"))


@pytest.fixture
def liar(speakers: Callable[[str], Wire]) -> Wire:
    return _emptied(speakers("liar"))

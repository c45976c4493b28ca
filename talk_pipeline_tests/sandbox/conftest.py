"""One sandbox for all tests of a process, put back to the start before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from talk_pipeline.sandbox.server import Sandbox
from talk_pipeline_tests.sandbox.clients import CentralClient, ShopClient
from talk_pipeline_tests.sandbox.visitor import Visitor


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def central(sandbox: Sandbox) -> Iterator[CentralClient]:
    client = CentralClient(sandbox)
    yield client
    client.close()


@pytest.fixture(scope="session")
def storefront(sandbox: Sandbox) -> Iterator[ShopClient]:
    client = ShopClient(sandbox)
    yield client
    client.close()


@pytest.fixture
def bc(central: CentralClient) -> Iterator[CentralClient]:
    """Business Central with nothing but reference data."""
    central.control.reset(empty=True)
    yield central
    central.control("DELETE", "/faults")


@pytest.fixture
def shop(storefront: ShopClient) -> Iterator[ShopClient]:
    """The shop without any records."""
    storefront.control.reset(empty=True)
    yield storefront
    storefront.control("DELETE", "/faults")


@pytest.fixture
def at_shop(sandbox: Sandbox, shop: ShopClient) -> Iterator[Visitor]:
    visitor = Visitor(sandbox.pages()[0])
    yield visitor
    visitor.close()


@pytest.fixture
def at_bc(sandbox: Sandbox, bc: CentralClient) -> Iterator[Visitor]:
    visitor = Visitor(sandbox.pages()[1])
    yield visitor
    visitor.close()

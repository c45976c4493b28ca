"""Business Central as a server that answers what a test tells it, and its connector."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline.flows.loading import Flows
from talk_pipeline.systems.businesscentral.client import Businesscentral
from talk_pipeline.systems.businesscentral.entities import load_entities
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.answering import Answering, answering
from talk_pipeline_tests.systems.businesscentral.speech import BASE, COMPANY_ID, Opens


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as running:
        yield running


@pytest.fixture
def opens(server: Answering, tmp_path: Path) -> Opens:
    def opened(
        *,
        company_id: str | None = COMPANY_ID,
        name: str | None = None,
        query: str = "",
        flows: Flows | None = None,
    ) -> Businesscentral:
        limits = Limits(1000, 1, 5, tmp_path / "limits")
        url = f"{server.url}{BASE}{query}"
        http = Http("Business Central", url, limits=limits, longest_seconds=0)
        return Businesscentral(
            http, flows or flows_in(), load_entities(), company_id=company_id, company_name=name
        )

    return opened

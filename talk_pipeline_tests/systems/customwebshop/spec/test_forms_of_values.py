"""What stands where a list belongs, or one of several forms, is told in the words of the file, once."""

from pathlib import Path

import pytest

from talk_pipeline.flows.loading import FlowError, load_flow, load_flows
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline_tests.flow_files import copied_flows

TOLD = {
    "lacks: website": "entities.customers.lacks: a list belongs here: [website]",
    "read_only: {total: yes}": "entities.customers.read_only: a list belongs here; found keys",
    "list: {empty: 404}": "entities.customers.list.empty: a list belongs here: [404]",
    "modified: 5": "entities.customers.modified: Input should be a valid string, or a list belongs here: [5]",
}


@pytest.mark.parametrize("said", TOLD)
def test_in_a_description(said: str, tmp_path: Path) -> None:
    good = REFERENCE.read_text(encoding="utf-8")
    file = tmp_path / "shop.yaml"
    file.write_text(good.replace("path: /customers\n", f"path: /customers\n    {said}\n"), encoding="utf-8")
    line = next(at for at, row in enumerate(good.splitlines(), 1) if "path: /customers" in row) + 1
    with pytest.raises(FlowError) as raised:
        load_description(file, flows=load_flows())
    assert str(raised.value) == f"{file}:{line}: {TOLD[said]}"


def test_in_a_flow(tmp_path: Path) -> None:
    folder = copied_flows(tmp_path, customer=("match: [number, organization_number, email]", "match: number"))
    with pytest.raises(FlowError, match=r"customer\.yaml:\d+: match: a list belongs here: \[number\]$"):
        load_flow(folder / "customer.yaml")

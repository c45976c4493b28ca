"""Flow files for shops whose customers have no number: they are known by their mail address."""

from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import edited_flows, replaced

_EDITS = {
    "match: [number, organization_number, email]": "match: [email]",
    "create_key: number": "create_key: email",
    "number: shop": "number: series",
    "create: always": "create: both",
}


def numberless_customers(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Customers go by their mail address; they and products are made on both sides."""
    flows = edited_flows(folder, patch, product=("create: always", "create: both"))
    file = flows / "customer.yaml"
    rows = file.read_text(encoding="utf-8").splitlines()
    text = "\n".join(row for row in rows if "bc: number," not in row)
    file.write_text(replaced(text, *_EDITS.items()), encoding="utf-8")

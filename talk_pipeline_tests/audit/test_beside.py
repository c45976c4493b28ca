"""What a property names beside it, to be read by: of a line it is the line's, which the record has not."""

from pathlib import Path

import pytest

from talk_pipeline.audit.audit import audit
from talk_pipeline.settings import Settings
from talk_pipeline_tests.flow_files import edited_flows, replaced
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

DESCRIBED = "bc: description,       type: text(100)}"
PHONE = "bc: description,       type: phone(30), country: land}"
LAND = "{name: land, dir: '-', shop: unit, type: text(10)}"
WHOSE = (
    "{name: whose, shop: variant_id, dir: '=', bc: itemId, type: reference(product), otherwise: product,"
    " of: product_id}"
)
FIRST = "      - {shop: product_id, "


@pytest.mark.parametrize(
    ("edit", "added"), [((DESCRIBED, PHONE), LAND), ((FIRST, FIRST), WHOSE)], ids=["country", "of"]
)
def test_it_is_looked_for_in_the_line(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: tuple[str, str], added: str
) -> None:
    file = edited_flows(tmp_path, monkeypatch, order=edit) / "order.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(replaced(text, (FIRST, f"      - {added}\n{FIRST}")), encoding="utf-8")
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    world.shop.post("orders", order("O1", buyer, [line(item, description="+45 33 12 34 99")]))
    assert not world.pass_over(full=True)
    (judged,) = audit(Settings.load(), ("order",))
    assert judged.counts["records"] == 1
    assert not judged.findings

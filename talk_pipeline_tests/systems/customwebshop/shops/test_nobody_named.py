"""A shop that tells references by type and id says nobody by nothing at all, and is told so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline.systems.businesscentral.values import ZERO_GUID
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.flow_files import copied_flows
from talk_pipeline_tests.pipeline.optional.test_unseen_pages import WORKSHOP, Page
from talk_pipeline_tests.systems.customwebshop.shops.door import connect, opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.resource_shop import TOKEN, ResourceShop
from talk_pipeline_tests.systems.customwebshop.shops.test_resource_shop import CONNECTOR, Resources
from talk_pipeline_tests.world import World

JOB = """
flow: job
title: Repairs
customwebshop: {asset: job, entity: orders}
businesscentral: {asset: repair_jobs, entity: repairJobs}
match: [number]
create_key: number
properties:
  - {shop: number,      dir: <->, bc: jobNo,     type: code(20), only: create}
  - {shop: customer_id, dir: <->, bc: ownerGuid, type: reference(customer)}
settings:
  create: both
"""
TOLD = "defaults: {relationships.customer.data.type: customers}"
ORDERS = f"""
  orders:
    path: /orders
    create: {{envelope: data, constants: {{type: orders}}, {TOLD}}}
    update: {{envelope: data, along: [type, id], {TOLD}}}
    fields:
      number: attributes.number
      customer_id: {{path: relationships.customer.data.id, emptied: relationships.customer.data}}
"""


@pytest.fixture
def resources(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Resources]:
    shop = ResourceShop()
    connector = tmp_path / "shop.yaml"
    connector.write_text(
        CONNECTOR.read_text(encoding="utf-8").partition("\n  orders:")[0] + ORDERS, encoding="utf-8"
    )
    drafted = run("new-entity", "repairJobs", "--api", WORKSHOP)
    assert drafted.returncode == 0, drafted.stderr
    monkeypatch.setenv("BUSINESSCENTRAL_ENTITIES_DIR", str(tmp_path / "entities"))
    flows = copied_flows(tmp_path / "flows")
    (flows / "order.yaml").unlink()
    (flows / "job.yaml").write_text(JOB, encoding="utf-8")
    monkeypatch.setenv("TALK_FLOWS_DIR", str(flows))
    with opened(shop) as address:
        connect(monkeypatch, url=address, token=f"Token {TOKEN}", connector=connector)
        yield Resources(shop, world)


def test_nobody_is_named_in_a_new_record_nor_where_somebody_was(resources: Resources) -> None:
    shop, world = resources.shop, resources.world
    resources.fill()
    shop.tables["lines"].clear()
    resources.run()
    jobs = Page(world, WORKSHOP, "repairJobs", "jobGuid")
    (job,) = jobs.rows()
    owner = job["ownerGuid"]
    assert owner == world.counterpart("customer", resources.customer)

    jobs.patch(job, ownerGuid=ZERO_GUID)
    jobs.post(jobNo="BORN")
    resources.run()
    assert shop.tables["orders"][resources.order]["customer"] is None
    (born,) = (row for row in shop.tables["orders"].values() if row["number"] == "BORN")
    assert born["customer"] is None
    resources.quiet()

    for job in jobs.rows():
        jobs.patch(job, ownerGuid=owner)
    resources.run()
    assert {row["customer"] for row in shop.tables["orders"].values()} == {resources.customer}
    resources.quiet()
    assert not unexplained("job")

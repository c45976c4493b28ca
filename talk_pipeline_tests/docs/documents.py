"""Which documents are made from the code, and of what."""

import subprocess
import sys
from pathlib import Path

from talk_pipeline import companies
from talk_pipeline.flows import schema as flow_schema
from talk_pipeline.systems.businesscentral import schema as entity_schema
from talk_pipeline.systems.customwebshop.spec import schema as connector_schema
from talk_pipeline_tests.docs.dataflow import dataflow
from talk_pipeline_tests.docs.flow_keys import flow_keys
from talk_pipeline_tests.docs.property_tables import property_tables

ROOT = Path(__file__).parent.parent.parent


def documents() -> dict[str, str]:
    """Path below the project's root -> the text that belongs there."""
    return {
        "docs/commands.md": commands(),
        "docs/dataflow.rst": dataflow(ROOT / "docs" / "dataflow.rst"),
        "docs/flows.md": flow_keys(),
        "docs/property-tables.md": property_tables(),
        str(flow_schema.FILE.relative_to(ROOT)): flow_schema.text(flow_schema.flow_schema()),
        str(flow_schema.ADDITION_FILE.relative_to(ROOT)): flow_schema.text(flow_schema.addition_schema()),
        str(companies.SCHEMA_FILE.relative_to(ROOT)): companies.schema_text(),
        str(entity_schema.FILE.relative_to(ROOT)): entity_schema.text(),
        str(connector_schema.FILE.relative_to(ROOT)): connector_schema.text(),
    }


def commands() -> str:
    """Every command with its arguments and options, as the command line itself tells them."""
    done = subprocess.run(
        [sys.executable, "-m", "typer", "talk_pipeline.cli.main", "utils", "docs", "--name", "talk-pipeline"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return done.stdout.replace("&#x27;", "'").strip() + "\n"

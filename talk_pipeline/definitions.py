"""The code location that Dagster loads."""

from talk_pipeline.dagster.build import build_defs
from talk_pipeline.flows.loading import load_flows
from talk_pipeline.redaction import redact_logs
from talk_pipeline.settings import Settings

redact_logs()
settings = Settings.load()
defs = build_defs(load_flows(settings.talk_flows_dir), settings=settings)

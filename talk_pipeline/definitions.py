"""The code location that Dagster loads."""

from talk_pipeline.dagster.build import build_defs
from talk_pipeline.declarations import flows_of
from talk_pipeline.redaction import redact_logs
from talk_pipeline.settings import Settings

redact_logs()
settings = Settings.load()
defs = build_defs(flows_of(settings), settings=settings)

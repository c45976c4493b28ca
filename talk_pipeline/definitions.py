"""The code location that Dagster loads."""

from talk_pipeline.dagster.build import build_all
from talk_pipeline.redaction import redact_logs
from talk_pipeline.settings import Settings

redact_logs()
settings = Settings.load()
defs = build_all(settings)

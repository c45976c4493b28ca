"""The code location that Dagster loads."""

from talk_pipeline.garbage import put_off

put_off()

from talk_pipeline.dagster.build import build_all  # noqa: E402
from talk_pipeline.logs import tell_in_json  # noqa: E402
from talk_pipeline.redaction import redact_logs  # noqa: E402
from talk_pipeline.settings import Settings  # noqa: E402

redact_logs()
settings = Settings.load()
if settings.talk_logs == "json":
    tell_in_json()
defs = build_all(settings)

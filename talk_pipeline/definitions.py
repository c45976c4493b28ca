"""The code location that Dagster loads."""

import gc

gc.set_threshold(50_000)  # looking for garbage among all that is imported takes a tenth of the time

from talk_pipeline.dagster.build import build_all  # noqa: E402
from talk_pipeline.logs import tell_in_json  # noqa: E402
from talk_pipeline.redaction import redact_logs  # noqa: E402
from talk_pipeline.settings import Settings  # noqa: E402

redact_logs()
settings = Settings.load()
if settings.talk_logs == "json":
    tell_in_json()
defs = build_all(settings)

"""The code location that Dagster loads."""

from talk_pipeline.garbage import put_off

with put_off():
    from talk_pipeline.dagster.build import build_all
    from talk_pipeline.logs import tell_in_json
    from talk_pipeline.redaction import redact_logs
    from talk_pipeline.settings import Settings

    redact_logs()
    settings = Settings.load()
    if settings.talk_logs == "json":
        tell_in_json()
    defs = build_all(settings)

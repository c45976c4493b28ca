"""The synchronization as a component, for a Dagster project that has more to do than this.

A project adds it by one file, `defs/talk/defs.yaml`:

    type: talk_pipeline.components.TalkPipeline

Which systems, which flows and where the state lies is said by the same settings as everywhere. What a project has
of its own stays as it is: its executor, its IO manager, its runs.
"""

import dagster as dg
from pydantic import Field


class TalkPipeline(dg.Component, dg.Resolvable, dg.Model):
    """Keeps a web shop and Business Central in step: assets, checks, jobs, sensors and schedules."""

    audit: bool = Field(True, description="With the audit by other code, every night.")

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What `dg list components` tells of it."""
        return dg.ComponentTypeSpec(
            description="Keeps a web shop and Business Central in step.",
            tags=["business-central", "web-shop", "synchronization"],
        )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """All of it.

        Raises:
            SettingsError: a setting makes no sense.
            FlowError: a flow file has a mistake.
        """
        from talk_pipeline.dagster.build import build_all
        from talk_pipeline.redaction import redact_logs
        from talk_pipeline.settings import Settings

        redact_logs()
        return build_all(Settings.load(), with_audit=self.audit, guest=True)

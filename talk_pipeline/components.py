"""What Dagster's `dg` finds of this package: the whole synchronization as one component of a project."""

from talk_pipeline.dagster.component import TalkPipeline as TalkPipeline

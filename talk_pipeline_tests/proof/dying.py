"""A process of its own that runs until it is killed at a certain point."""

import logging
import os
import uuid
from collections.abc import Mapping

from talk_pipeline.installation import Connections
from talk_pipeline.run.session import Options
from talk_pipeline.settings import Settings
from talk_pipeline_tests.passing import tried
from talk_pipeline_tests.proof.killing import POINTS, Together, killed
from talk_pipeline_tests.proof.states import Watch


def run_to_death(
    environment: Mapping[str, str], flow: str, full: bool, point: str, together: Together, nth: int
) -> None:
    """One run of a flow with these settings; it does not come back."""
    logging.disable()
    os.environ.clear()
    os.environ.update(environment)
    with POINTS[point].reached(together, nth=nth, by=killed):
        tried(
            Connections(Settings.load()),
            (flow,),
            run_id=uuid.uuid4().hex,
            options=Options(full=full),
            watch=Watch(),
        )

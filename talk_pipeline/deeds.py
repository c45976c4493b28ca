"""One deed by hand on this installation, with the leases it needs: for the command line and for Dagster.

Neither system is asked; what a deed does to the state is in `engine.byhand` and `engine.verdicts`.
"""

from collections.abc import Callable

from talk_pipeline.engine.byhand import Deed, Hand, concerned
from talk_pipeline.engine.entities import ByHandError, named_flow
from talk_pipeline.engine.lease import leases
from talk_pipeline.engine.progress import decide
from talk_pipeline.engine.state import State
from talk_pipeline.flows.loading import load_flows
from talk_pipeline.settings import Settings


def known_state(settings: Settings) -> State:
    """The state of this installation.

    Raises:
        ByHandError: nothing ran yet.
    """
    state = State(settings.talk_data_dir, wait_seconds=settings.talk_wait_seconds)
    if not state.file.exists():
        raise ByHandError(f"no run is recorded in {settings.talk_data_dir}; run talk-pipeline sync first")
    return state


def carry_out(settings: Settings, name: str, deed: Callable[[Hand], Deed], *, by: str) -> Deed:
    """Does a deed in a flow while no run works on it or on what refers to it; sensors have it carried out.

    Raises:
        ByHandError: it cannot be done.
        LeaseHeldError: a run has one of the flows.
    """
    flows = load_flows(settings.talk_flows_dir)
    flow = named_flow(flows, name)
    state = known_state(settings)
    names, wait = concerned(flows, name), settings.talk_wait_seconds
    held = leases(settings.talk_data_dir / "leases", names, run_id=f"by hand, {by}", wait_seconds=wait)
    with held:
        with state.once() as db:
            done = deed(Hand(db, flows, flow, by))
        decide(settings.talk_data_dir, names)
    return done

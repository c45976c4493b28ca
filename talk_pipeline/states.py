"""The state of a company: where its file lies, and whether it is carried from machine to machine."""

from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.state.carried import CarriedState
from talk_pipeline.engine.state.database import FILE, State
from talk_pipeline.settings import Settings


def state_of(settings: Settings, *, longest_seconds: float = 0) -> State:
    """The state that these settings name, whether anything ran or not.

    Args:
        settings: of the company.
        longest_seconds: how long what whoever works on it asks for may be under way after nobody waits for it.
    """
    folder, wait, lease = settings.talk_data_dir, settings.talk_wait_seconds, settings.talk_lease_seconds
    threads, memory = settings.talk_threads, settings.talk_memory
    if settings.talk_work_dir is None:
        return State(folder, wait_seconds=wait, lease_seconds=lease, threads=threads, memory=memory)
    return CarriedState(
        folder,
        file=settings.work_dir / FILE,
        wait_seconds=wait,
        lease_seconds=lease,
        longest_seconds=longest_seconds,
        threads=threads,
        memory=memory,
    )


def known_state(settings: Settings) -> State:
    """The state that these settings name, as new as it is known anywhere.

    Raises:
        ByHandError: nothing ran yet.
    """
    state = state_of(settings)
    state.refresh()
    if not state.file.exists():
        raise nothing_ran(settings)
    return state


def nothing_ran(settings: Settings) -> ByHandError:
    """What is wrong where a run is asked for and none is recorded."""
    return ByHandError(f"no run is recorded in {settings.talk_data_dir}; run talk-pipeline sync first")

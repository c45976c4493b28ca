"""The state of a company: where its file lies, and whether it is carried from machine to machine."""

from collections.abc import Mapping
from contextlib import suppress

from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.state.carried import CarriedState
from talk_pipeline.engine.state.connection import StateBrokenError, StateMismatchError
from talk_pipeline.engine.state.database import FILE, State
from talk_pipeline.engine.state.meta import systems_of_any
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


def refuse_former_name(settings: Settings, systems: Mapping[str, str]) -> None:
    """Refuses to begin anew with two systems that are on record of a company which is not in the file any more.

    All that was linked by its keys would be found again; what was decided by hand, and what was deleted on one side
    alone, would be known to nobody, and be made again.

    Raises:
        StateMismatchError: naming the folder, and how to go on with it.
    """
    if settings.company is None or settings.talk_companies is None:
        return
    from talk_pipeline.companies import companies_in  # what reads the file is loaded where there is one

    names = companies_in(settings.talk_companies).names
    for file in sorted(settings.shared_dir.glob(f"*/{FILE}")):
        folder = file.parent
        if folder.name in names or folder == settings.talk_data_dir:
            continue
        former = None
        with (
            suppress(StateBrokenError),
            State(folder, wait_seconds=settings.talk_wait_seconds).as_it_is() as db,
        ):
            former = systems_of_any(db)  # what cannot be read is the state of nobody
        if former == dict(systems):
            raise StateMismatchError(
                f"{folder} is the state of the same two systems, of a company that is not in"
                f" {settings.talk_companies} any more: call this one {folder.name} again, or say"
                f" `TALK_DATA_DIR: {folder}` under its settings; to begin anew, move that folder elsewhere"
            )


def nothing_ran(settings: Settings) -> ByHandError:
    """What is wrong where a run is asked for and none is recorded."""
    return ByHandError(f"no run is recorded in {settings.talk_data_dir}; run talk-pipeline sync first")

"""`talk-pipeline backup`, `restore`, `prune` and `forget`: what is kept, and what is not kept any more."""

from pathlib import Path

from talk_pipeline import installation
from talk_pipeline.cli.byhand import who
from talk_pipeline.cli.company import tell
from talk_pipeline.cli.terminal import say
from talk_pipeline.settings import Settings


def back_up(file: Path, *, overwrite: bool) -> None:
    """Writes a backup, and tells what it holds."""
    there = file.exists()
    contents = installation.back_up(Settings.load(), file, overwrite=overwrite)
    replaced = "; it replaced an earlier file" if there else ""
    say(f"{file} is written and was read back: {contents}{replaced}")


def restore(file: Path) -> None:
    """Restores a backup, and tells what became of what was there, and who is known again."""
    contents, replaced, again = installation.restore(Settings.load(), file)
    say(f"{file} is restored: {contents}")
    if replaced:
        say(f"what it replaced is kept as {replaced}: delete it once all is well")
    say("next: talk-pipeline sync; it reads both systems in full")
    if again is None:
        say("what it replaced cannot be read: forget again whoever was forgotten since the backup")
    for one in again or ():
        say(f"forgotten before, and known again: {one.name}; after the sync: talk-pipeline forget {one.name}")


def moved() -> None:
    """Binds the state to the systems that the settings name, and tells which of them are known otherwise now."""
    from talk_pipeline.moving import move

    for one in move(Settings.load()):
        say(str(one))
    say("next: talk-pipeline sync; it reads both systems in full")
    say("then: talk-pipeline backup FILE; earlier backups are of the address before")


def prune() -> None:
    """Removes what is too old, and tells what it was."""
    from talk_pipeline.dagster.instance import open_home
    from talk_pipeline.dagster.retention import prune as prune_all

    settings = Settings.load()
    with open_home(settings.shared_dir, several=settings.company is not None) as instance:
        say(prune_all(settings, instance))


def forget(flow: str, text: str, *, with_orders: bool, as_json: bool) -> None:
    """Forgets one entity, and tells what still holds something of it."""
    done, left, unread = installation.forget(
        Settings.load(), flow, text, by=who(), with_referring=with_orders
    )
    if as_json:
        forgotten = [
            {
                "flow": one.entity.flow,
                "shop_id": one.entity.shop_id,
                "bc_id": one.entity.bc_id,
                "there": {str(side): list(names) for side, names in one.there.items()},
            }
            for one in done
        ]
        tell({"forgotten": forgotten, "referring": left, "unread": [one.what for one in unread]})
        return
    for entity in done:
        say(entity)
    if left:
        say(
            f"what refers to it may hold values of it, and was not forgotten: {left}; with --with-orders it is"
        )
    for one in unread:
        say(f"not looked into: {one.what}; {one.way}")

"""`talk-pipeline attention`: everything that waits for a person, with its age and what to do about it."""

from talk_pipeline.cli.company import tell
from talk_pipeline.cli.tables import console, line, print_items
from talk_pipeline.declarations import flows_of
from talk_pipeline.engine.report.attention import attention
from talk_pipeline.engine.report.waiting import Item
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state


def print_attention(*, as_json: bool) -> None:
    """All that waits, the most urgent first, and how many there are of each kind."""
    settings = Settings.load()
    flows = flows_of(settings)
    with known_state(settings).once() as db:
        waiting = attention(db, flows)
    if as_json:
        items = [one.document() for one in waiting.items]
        tell({"total": waiting.total, "counts": waiting.counts, "items": items})
        return
    out = console()
    print_items(out, "waiting for a person", map(_told, waiting.items))
    line(out, told_in_numbers(waiting.counts))


def _told(item: Item) -> tuple[str, tuple[str, ...]]:
    """What it is, and below that why and what to do."""
    row = item.row()
    known = " ".join(dict.fromkeys(filter(None, (row["flow"], row["number"], row["name"]))))
    state = f" ({row['state']})" if row["state"] != row["kind"] else ""
    aged = ", ".join(filter(None, (known, row["age"])))  # what is flagged has no age
    return f"{row['kind']}{state}: {aged}", (row["reason"], f"next: {row['next step']}")


def told_in_numbers(numbers: dict[str, int]) -> str:
    """How many wait, in a line."""
    listed = ", ".join(f"{number} {kind}" for kind, number in numbers.items() if number)
    return f"waiting for a person: {sum(numbers.values())}" + (f" ({listed})" if listed else "")

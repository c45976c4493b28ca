"""What befalls the systems, the database, the clocks and the configuration while everybody works on."""

from collections.abc import Callable
from typing import Any

import yaml
from time_machine import Traveller

from talk_pipeline import installation
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.snapshot.reversals import SEVERAL
from talk_pipeline.flows.loading import PACKAGED
from talk_pipeline.flows.sides import Side
from talk_pipeline.settings import Settings
from talk_pipeline_tests.invariants.fields import ENTITIES
from talk_pipeline_tests.invariants.ledger import Sight
from talk_pipeline_tests.invariants.office import Office, Refused
from talk_pipeline_tests.invariants.players import Players
from talk_pipeline_tests.invariants.scenario import Step
from talk_pipeline_tests.world import World

DATABASE = "talk.duckdb"
FLOWS = "flows"
CONFLICTS = "select part, shop_id, property, shop_value, bc_value from conflict"


class Disasters(Players):
    """Users to whom such things happen.

    Attributes:
        at_rest: whether the last thing that happened was a run that saw everything.
        kept: of which system there is a backup, and the step it is of.
        blind: properties that a mapping left out, or a policy changed by itself, for some of the time, by part.
        removes: flows in which a run may delete.
        record: the conflicts of databases that are lost.
        clock: the time that everybody on this machine believes it is.
    """

    def __init__(self, world: World, clock: Traveller) -> None:
        self.clock = clock
        self.at_rest = False
        self.kept: dict[str, int] = {}
        self.blind: set[tuple[str, str]] = set()
        self.removes: set[str] = set()
        self.record: list[tuple[Any, ...]] = []
        super().__init__(world)

    def play(self, step: Step, *, interval: float | None = None) -> None:
        """Does one step; whatever anybody does is seen by no run yet."""
        if step["do"] not in ("sync", "backup"):
            self.at_rest = False
        super().play(step, interval=interval)

    def office(self, side: str) -> Office:
        """The back office of a system."""
        return {"shop": self.shop, "bc": self.bc}[side]

    def _time(self, step: Step) -> None:
        self.clock.shift(60 * step["minutes"])

    def _clock(self, step: Step) -> None:
        self.office(step["side"]).call("POST", "clock", {"offset": step["offset"]})

    # -- backups ----------------------------------------------------------------------------------------------

    def _backup(self, step: Step) -> None:
        """What no run ever saw cannot be recognised: a backup is of a moment at which all was seen."""
        if step["of"] == "database":
            self._back_up_database()
        elif self.at_rest:
            self.office(step["of"]).call("POST", "backup", {"name": "kept"})
            self.kept[step["of"]] = self.at

    def _back_up_database(self) -> None:
        file = self.world.data.parent / "kept.duckdb"
        if (self.world.data / DATABASE).exists():
            try:
                installation.back_up(Settings.load(), file, overwrite=True)
            except ByHandError as error:
                raise Refused(str(error)) from error

    def _restore(self, step: Step) -> None:
        if step["of"] == "database":
            self._restore_database()
            return
        side = step["of"]
        if side not in self.kept:
            return
        before = self.seen
        self.office(side).call("POST", "restore", {"name": "kept"})
        after = self.look()
        if self._is_recognised(side, before, after):
            self.seen = after
            self.ledger.restored(side, before, after, since=self.kept[side])
        there = {key for place_side, _, key in after if place_side == side}
        if side == "bc":
            self._forget_made(there)
            self.twins = {alias: key for alias, key in self.twins.items() if key in there}
        else:
            self.ids = {alias: key for alias, key in self.ids.items() if key in there}

    def _is_recognised(self, side: str, before: Sight, after: Sight) -> bool:
        """Whether it can be told from people who take back what they said: by times, or by several records."""
        if side == "bc" or self.world.tells_times():
            return True
        back = [
            place
            for place in before.keys() & after.keys()
            if place[0] == side and before[place] != after[place]
        ]
        return any(sum(place[1] == flow for place in back) >= SEVERAL for flow in ENTITIES)

    def _restore_database(self) -> None:
        file = self.world.data.parent / "kept.duckdb"
        if file.exists():
            self._keep_record()
            installation.restore(Settings.load(), file)
            for aside in self.world.data.glob(f"{DATABASE}.replaced-*"):
                aside.unlink()
            self._forget_pairs()

    def _lose(self, _step: Step) -> None:
        """Of the database nothing is left."""
        self._keep_record()
        for file in self.world.data.glob(f"{DATABASE}*"):
            file.unlink()
        self._forget_pairs()

    def _keep_record(self) -> None:
        if (self.world.data / DATABASE).exists():
            self.record += self.world.sql(CONFLICTS)

    def _forget_pairs(self) -> None:
        """Which line was which is told by what they say alone, and what was removed meanwhile by nothing.

        Nor can a system that is restored now be told from one that was edited, where it is of one record alone.
        """
        self.kept.clear()
        self.ledger.blurred |= {there for _, there in self.ledger.links.get("order", ())}
        self._forget_made({key for side, _, key in self.seen if side == "bc"})
        self.look_at_links()

    def _forget_made(self, there: set[str]) -> None:
        """What is not there any more, and by nobody known to have been, is rightly made again."""
        self.created = {what: [key for key in made if key in there] for what, made in self.created.items()}

    # -- configuration ----------------------------------------------------------------------------------------

    def _settings_of(self, step: Step) -> None:
        """An engineer says otherwise how a flow is to be settled."""
        flow, values = step["flow"], step["set"]
        self._edit_flow(flow, lambda document: document["settings"].update(values))
        if "block" in values.values():
            self.blind.add((flow, "active"))
        if "delete" in values.values():
            self.removes.add(flow)

    def _mapping(self, step: Step) -> None:
        """An engineer takes a property out of the mapping, or puts it back."""
        flow, name = step["flow"], step["property"]
        packaged = yaml.safe_load((PACKAGED / f"{flow}.yaml").read_text(encoding="utf-8"))

        def change(document: dict[str, Any]) -> None:
            left_out = name not in [one["shop"] for one in document["properties"] if "shop" in one]
            document["properties"] = [
                one for one in packaged["properties"] if left_out or one.get("shop") != name
            ]

        self._edit_flow(flow, change)
        self.blind.add((flow, name))

    def _edit_flow(self, flow: str, change: Callable[[dict[str, Any]], None]) -> None:
        file = self.world.data.parent / FLOWS / f"{flow}.yaml"
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        change(document)
        file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")

    # -- what a person decides ---------------------------------------------------------------------------------

    def suspected(self) -> Side | None:
        """The system that the pipeline takes for restored."""
        if not (self.world.data / DATABASE).exists():
            return None
        found = self.world.sql("select distinct side from reversal order by side")
        return Side(found[0][0]) if found else None

"""What one run works with: the state, the flows, both systems, and how far it may go."""

from dataclasses import dataclass, field
from functools import partial

from talk_pipeline.engine.model import Decode
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.snapshot.projection import Projector
from talk_pipeline.engine.state.database import State
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.systems.protocol import System


@dataclass(frozen=True, slots=True)
class Options:
    """How far a run may go.

    Attributes:
        full: read everything, and find out what disappeared.
        dry_run: plan, and write nothing.
        approve: a person has seen the plan: the circuit breaker does not stop it.
        restored: the system that was restored from a backup, by a person's word: what the other side holds goes
            back to it. However much that is, it is approved with it.
        undo: the run whose updates are put back, where nobody has edited since.
    """

    full: bool = False
    dry_run: bool = False
    approve: bool = False
    undo: str | None = None
    restored: Side | None = None

    def __post_init__(self) -> None:
        """A decision is an approval of what follows from it."""
        if self.restored:
            object.__setattr__(self, "approve", True)


@dataclass(frozen=True, slots=True)
class Session:
    """One run.

    Attributes:
        run_id: names the run in the journal.
        flows_in_run: the flows this run synchronizes.
    """

    state: State
    flows: Flows
    company: Company
    systems: dict[Side, System]
    run_id: str
    options: Options = field(default_factory=Options)
    flows_in_run: tuple[str, ...] = ()
    _projectors: dict[tuple[str, Side], Projector] = field(default_factory=dict, init=False, repr=False)

    def projector(self, flow: Flow, side: Side) -> Projector:
        """What reads the records of a side; it remembers what values mean, so that there is one."""
        if (flow.name, side) not in self._projectors:
            self._projectors[flow.name, side] = Projector(flow, side, self.company)
        return self._projectors[flow.name, side]

    def decode(self, flow: Flow, side: Side) -> Decode:
        """What reads the payloads of a side."""
        return partial(self.systems[side].decode, flow.name)

    def later(self, flow: Flow) -> frozenset[str]:
        """The flows that run after this one in the same run."""
        order = list(self.flows)
        return frozenset(name for name in self.flows_in_run if order.index(name) > order.index(flow.name))

"""The job by which a person decides in the launchpad what the commands of the same names decide in a terminal."""

from enum import Enum

import dagster as dg
from pydantic import Field

from talk_pipeline.dagster.company import Partitions, partitioned, settings_of
from talk_pipeline.dagster.jobs import RESOURCE
from talk_pipeline.engine.manual import links, resolutions, sharing
from talk_pipeline.engine.manual.acknowledging import acknowledge
from talk_pipeline.engine.manual.decisions import Decision, Hand
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.state.lease import LeaseHeldError
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import carry_out

JOB = "by_hand"

DESCRIPTION = """\
One decision by hand; the next sync carries it out, which the sensors start. Nothing is asked of either system.

* `link`: `shop_id` and `bc_id` are the same thing, whatever the match rules say.
  Where another one is linked with `bc_id` and the flow lets them share it, `shop_id` is attached; with `lead` it
  takes the other's place.
* `unlink`: undoes the link of `shop_id` for good; it is held until linked again or released.
* `release`: lets the next sync match or create `shop_id` anew; undoes its link if it has one.
* `keep_apart`: the rules never match `shop_id` with `bc_id`.
* `resolve`: `take` says which side wins the open conflicts of `shop_id`, all or those of `property`.
* `retry`: tries again what was refused, of `shop_id` or of the whole flow; lets `shop_id` go that its total holds.
* `acknowledge`: the decided conflicts of `shop_id`, or of the whole flow, and what a restored system lost of it,
  were seen, and are listed no more.

```yaml
ops:
  decide:
    config: {flow: customer, action: RESOLVE, shop_id: c-1001, property: website, take: CUSTOMWEBSHOP}
```
"""


class Action(Enum):
    """What is decided."""

    LINK = "link"
    UNLINK = "unlink"
    RELEASE = "release"
    KEEP_APART = "keep_apart"
    RESOLVE = "resolve"
    RETRY = "retry"
    ACKNOWLEDGE = "acknowledge"


class Take(Enum):
    """Which side wins."""

    CUSTOMWEBSHOP = "customwebshop"
    BUSINESSCENTRAL = "businesscentral"


class ByHand(dg.Config):
    """One decision by hand, as it is configured in the launchpad."""

    flow: str = Field(description="The flow's name.")
    action: Action = Field(description="What is decided.")
    shop_id: str | None = Field(None, description="The shop record: an id or a key.")
    bc_id: str | None = Field(None, description="The Business Central record: an id or a key.")
    property: str | None = Field(None, description="resolve: only this property.")
    take: Take | None = Field(None, description="resolve: the side whose value counts.")
    lead: bool = Field(False, description="link: take the place of the one that is linked with bc_id.")
    by: str | None = Field(None, description="Who decided, for the record; by default this run.")

    def decide(self, hand: Hand) -> Decision:
        """Does what is configured.

        Raises:
            ByHandError: it does not exist, cannot be done, or something is missing in the config.
        """
        if self.action is Action.RETRY:
            return resolutions.retry(hand, self.shop_id or None)
        if self.action is Action.ACKNOWLEDGE:
            return acknowledge(hand, self.shop_id or None)
        shop_id = self._given("shop_id", self.shop_id)
        if self.action is Action.RESOLVE:
            if self.take is None:
                raise ByHandError(f"{self.action.value} needs take in its config")
            return resolutions.resolve(hand, shop_id, take=Side(self.take.value), prop=self.property or None)
        if self.action in (Action.UNLINK, Action.RELEASE):
            return links.unlink(hand, shop_id, recreate=self.action is Action.RELEASE)
        bc_id = self._given("bc_id", self.bc_id)
        if self.action is Action.LINK:
            return sharing.link(hand, shop_id, bc_id, lead=self.lead)
        return links.keep_apart(hand, shop_id, bc_id)

    def _given(self, name: str, value: str | None) -> str:
        if not value:
            raise ByHandError(f"{self.action.value} needs {name} in its config")
        return value


def by_hand_job(flow: str, *, companies: Partitions | None = None) -> dg.JobDefinition:
    """The job of one op that decides one thing; its launchpad opens with every key of one about this flow.

    As it opens it decides nothing: no record is named.
    """
    given = {
        "flow": flow,
        "action": Action.RESOLVE.name,
        "shop_id": "",
        "bc_id": "",
        "property": "",
        "take": Take.CUSTOMWEBSHOP.name,
        "lead": False,
        "by": "",
    }

    # the resource shows that the run has a process
    @dg.op(out=dg.Out(dg.Nothing), description=DESCRIPTION, required_resource_keys={RESOURCE})
    def decide(context: dg.OpExecutionContext, config: ByHand) -> None:
        by = config.by or f"Dagster run {context.run.run_id}"
        try:
            done = carry_out(settings_of(context.run.tags), config.flow, config.decide, by=by)
        except (ByHandError, LeaseHeldError) as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        context.log.info(done.message)

    @dg.job(
        name=JOB,
        description=DESCRIPTION,
        executor_def=dg.in_process_executor,
        config={"ops": {"decide": {"config": given}}},
        **partitioned(companies),
    )
    def by_hand() -> None:
        decide()

    return by_hand

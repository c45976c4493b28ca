"""What is wrong with an answer of the shop, in words for whoever described it."""

from dataclasses import dataclass

from talk_pipeline.systems.customwebshop.spec.description import Entity
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.wire.answers import UnexpectedShapeFault, status_and_reason
from talk_pipeline.systems.customwebshop.wire.records import parse
from talk_pipeline.systems.errors import SystemFault, UnavailableFault
from talk_pipeline.systems.http import Answer

LONGEST_EXCERPT = 300
WHERE_TO_LOOK = "check CUSTOMWEBSHOP_URL and CUSTOMWEBSHOP_CONNECTOR"


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults of one shop.

    Attributes:
        shop: the name its description gives it.
        url: where it is.
    """

    shop: str
    url: str

    def without_success(self, entity: Entity, answer: Answer) -> SystemFault:
        """What an answer without success to a question means."""
        if answer.status in (404, 410):
            text = f"{self.url} does not answer like {self.shop} ({answer.status}): {WHERE_TO_LOOK}"
            return UnexpectedShapeFault("path", f"{entity.path}: {text}")
        return UnavailableFault(f"{self.shop} answers {status_and_reason(entity.error, answer)}")

    def unlike(self, key: str, answer: Answer, what: str) -> UnexpectedShapeFault:
        """An answer of success that is not as the description says under that key."""
        excerpt = answer.excerpt(LONGEST_EXCERPT)
        return UnexpectedShapeFault(
            key, f"{self.shop} at {self.url} answers with {what}: {excerpt}: {WHERE_TO_LOOK}"
        )

    def json(self, answer: Answer) -> Json:
        """The JSON of an answer; None where it is empty.

        Raises:
            UnexpectedShapeFault: it is none.
        """
        try:
            return parse(answer.body) if answer.body.strip() else None
        except ValueError as error:
            raise self.unlike("records", answer, "what is no JSON") from error

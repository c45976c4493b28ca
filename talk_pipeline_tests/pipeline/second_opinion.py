"""What the audit does not explain, for tests of values: of a shop that it cannot read it says nothing."""

from talk_pipeline.audit import NotAuditableError
from talk_pipeline.audit.audit import audit
from talk_pipeline.audit.judge import Finding
from talk_pipeline.settings import Settings


def unexplained(*flows: str) -> list[Finding]:
    """All findings without a reason, of these flows or of all."""
    try:
        return [one for judged in audit(Settings.load(), flows) for one in judged.unexplained]
    except NotAuditableError:
        return []

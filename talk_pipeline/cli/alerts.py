"""`talk-pipeline alerts`: tells people what they should know, from a timer instead of the daemon or beside it."""

from talk_pipeline.cli.exits import UsageError
from talk_pipeline.cli.terminal import say
from talk_pipeline.declarations import flows_of
from talk_pipeline.settings import Settings


def tell_people(*, test: bool) -> None:
    """Looks and sends, or sends a test; prints what was sent.

    Raises:
        UsageError: the settings name nobody.
        DeliveryError: it did not reach everybody.
    """
    from talk_pipeline.dagster.alerts import Message, send, tell
    from talk_pipeline.dagster.instance import open_home

    settings = Settings.load()
    if not settings.alert_addresses:
        raise UsageError("not set: TALK_ALERTS, the addresses of those to tell; see docs/operating.md")
    if test:
        send(settings, Message("talk_pipeline: a test", "Alerts of talk_pipeline arrive here."))
        say(f"sent to {len(settings.alert_addresses)}")
        return
    with open_home(settings.shared_dir, several=settings.company is not None) as instance:
        message = tell(settings, flows_of(settings), instance)
    say(message.body if message else "nothing new to tell")

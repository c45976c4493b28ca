"""`talk-pipeline alerts`: tells people what they should know, from a timer instead of the daemon or beside it."""

from talk_pipeline.cli.exits import UsageError
from talk_pipeline.cli.terminal import say
from talk_pipeline.declarations import flows_of
from talk_pipeline.settings import Settings


def tell_people(*, test: bool) -> None:
    """Looks and sends, or sends a test; prints what was sent: of a company, or of all and what is none's own.

    Raises:
        UsageError: the settings name nobody.
        DeliveryError: it did not reach everybody.
    """
    from talk_pipeline.dagster.alerts import Message, send, tell, tell_of_each, those_told
    from talk_pipeline.dagster.instance import open_home

    settings = Settings.load()
    addresses = those_told(settings)
    if not addresses:
        raise UsageError("not set: TALK_ALERTS, the addresses of those to tell; see docs/operating.md")
    if test:
        send(addresses, Message("talk_pipeline: a test", "Alerts of talk_pipeline arrive here."))
        say(f"sent to {len(addresses)}")
        return
    of_all = settings.talk_companies is not None and settings.company is None
    with open_home(settings.shared_dir, several=settings.talk_companies is not None) as instance:
        if of_all:
            say(tell_of_each(settings, instance))
            return
        message = tell(settings, flows_of(settings), instance)
    say(message.body if message else "nothing new to tell")

"""Where a record of Business Central goes when it is no longer among those of its flow; declarations alone."""

from pydantic import Field

from talk_pipeline.flows.properties import Model


class ClosedBy(Model):
    """Where a record goes when its story ends."""

    entity: str = Field(description="the described entity set in which it goes on, such as `salesInvoices`")
    record: str = Field(description="the property there that holds the record's id")
    key: str = Field(description="the property there that holds the record's create key")

    @property
    def asked(self) -> tuple[str, ...]:
        """The properties by which records are looked for there."""
        return self.record, self.key


class ArchivedIn(Model):
    """Where versions of a record are kept, those of deleted ones too; they have ids of their own."""

    entity: str = Field(
        description="the described entity set of what is archived, such as `salesOrderArchives`"
    )
    key: str = Field(description="the property there that holds the record's create key")

    @property
    def asked(self) -> tuple[str, ...]:
        """The properties by which records are looked for there."""
        return (self.key,)

"""Archived versions of documents: copies with ids of their own, which go on when the document is deleted."""

from __future__ import annotations

from talk_pipeline.sandbox.businesscentral.company import Company
from talk_pipeline.sandbox.store import Row

ARCHIVES = {"salesOrders": "salesOrderArchives"}
"""Documents that are archived, and where."""


def archive(company: Company, document: Row, kept_in: str) -> Row:
    """Keep a version of a document as it is now."""
    before = company.table(kept_in).find("number", document["number"])
    blank = company.blank(kept_in)
    copied = {name: document[name] for name in blank if name in document and name != "id"}
    return company.save(kept_in, {**blank, **copied, "versionNumber": len(before) + 1})

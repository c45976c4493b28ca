"""The QA checklist as a document: what it says, and each form it is written in."""

"""The QA checklist as one document: what it says is built once, and each form is a writer over that."""

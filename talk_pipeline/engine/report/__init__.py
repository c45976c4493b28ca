"""What is told to people: the checklist, one record, one run."""

"""The pains of those who run such a sync, each with a test that tries to inflict it; see docs/promises.md."""

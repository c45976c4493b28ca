"""The tests of talk_pipeline: the tree mirrors the package."""

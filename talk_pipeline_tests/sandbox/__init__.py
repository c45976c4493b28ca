"""The sandbox, over real HTTP: one case a documented behaviour."""

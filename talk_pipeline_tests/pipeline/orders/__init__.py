"""An order from its placing to its end: its lines, its totals, what Business Central makes of it."""

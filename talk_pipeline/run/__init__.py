"""Where systems and engine meet: fetch and land, settle unknown outcomes, upsert, re-read and redo.

No Dagster, and no rule of its own: what changed is the engine's verdict, how to say it the systems'.
"""

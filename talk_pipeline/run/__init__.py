"""Where systems and engine meet: fetch and land, plan, write, recover what was not answered, read again.

No Dagster, and no rule of its own: what changed is for the engine to say, how to send it for the systems.
"""

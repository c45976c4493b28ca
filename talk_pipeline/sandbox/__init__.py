"""Both systems as local HTTP servers, for demos, tests and benchmarks.

Neither the web shop nor Business Central can be reached from a laptop, so the project brings both along:
real HTTP on the loopback address, state kept in one file, the wire behaviour of the documented services
(refusals and limits included) and a switchboard that makes them misbehave on purpose.

Reading order::

    server.py            Sandbox: both servers in one thread, and the environment that points at them
    store.py             records in memory, every change written through to one SQLite file
    gateway.py           what each call passes: token, limits, faults, latency, the record of traffic
    businesscentral/     the API v2.0 server
    customwebshop/       the shop's reference API
    pages/               both systems' records as web pages, for people; same_origin.py keeps other pages out
    seed/                the records both start with

Nothing here knows the pipeline and nothing in the pipeline knows it is talking to a sandbox. What a test
needs and the real services do not offer lies under ``/_sandbox`` at the root of each server; see
`talk_pipeline.sandbox.control`.
"""

from talk_pipeline.sandbox.errors import SandboxError

__all__ = ["SandboxError"]

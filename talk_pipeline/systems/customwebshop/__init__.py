"""The custom web shop: a REST API told by a description file, driven by one client.

Every shop differs; another one is another description (`reference.yaml` is the default), never other code.
"""

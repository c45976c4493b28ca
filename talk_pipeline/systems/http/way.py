"""The way that requests take: the certificates to trust, and the proxy that the environment names."""

import ipaddress
import ssl
import urllib.request
from contextlib import suppress
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from talk_pipeline.redaction import learn
from talk_pipeline.systems.errors import ConfigurationFault


@cache
def trusted() -> ssl.SSLContext:
    """The certificates to trust, read once: that takes longer than a request.

    Raises:
        ConfigurationFault: those that the environment names cannot be read.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # of which none says what file it was
        raise ConfigurationFault(
            f"the certificates that the environment names cannot be read: {error.strerror or error}; mend"
            " SSL_CERT_FILE or SSL_CERT_DIR"
        ) from None


def way_to(address: str, **options: Any) -> httpx.AsyncHTTPTransport:
    """What carries requests to a host.

    Args:
        address: a whole URL of it.
        options: of the transport.

    Raises:
        ConfigurationFault: the proxy that the environment names cannot be used.
    """
    proxy = _proxy_to(address)
    learn(urlsplit(proxy).password if proxy else None)
    try:
        return httpx.AsyncHTTPTransport(verify=trusted(), proxy=proxy, **options)
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        host = urlsplit(address).hostname
        raise ConfigurationFault(
            f"the proxy that the environment names for {host} cannot be used: {error}; mend HTTPS_PROXY,"
            " HTTP_PROXY or ALL_PROXY, or name the host in NO_PROXY"
        ) from None


def _proxy_to(address: str) -> str | None:
    """By the usual variables; this machine itself is reached by none, since no proxy knows what listens here."""
    there = urlsplit(address)
    host = there.hostname or ""
    if _is_here(host) or urllib.request.proxy_bypass(host):
        return None
    named = urllib.request.getproxies()
    return named.get(there.scheme) or named.get("all")


def _is_here(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")

"""The client's address, also behind proxies."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

LOCAL = "local"
"""The address of a client on a unix socket."""
MOST_HOPS = 16
"""Proxies that a request is followed back through; no deployment has more."""


def client_address(http: web.BaseRequest, trusted: Collection[Network]) -> str:
    """The address that a request comes from, as text; `local` where there is none (a unix socket).

    It is the peer's own address, unless that is a trusted proxy (the setting `trusted_proxies`): then what the proxy says in
    `X-Forwarded-For`, read from its end for as long as the address before is trusted. Entries that a client wrote there itself are never
    believed. An IPv4 address inside an IPv6 one is the IPv4 address.
    """
    peer = _address(http.remote or "")
    if peer is not None and not _within(peer, trusted):
        return str(peer)
    nearest = str(peer) if peer is not None else LOCAL
    hops = ",".join(http.headers.getall("X-Forwarded-For", ())).split(",")
    for hop in reversed(hops[-MOST_HOPS:]):
        address = _address(hop)
        if address is None:
            break  # an unreadable entry: its writer is the last known address
        nearest = str(address)
        if not _within(address, trusted):
            break
    return nearest


def is_secure(http: web.BaseRequest, public_url: str | None, trusted: Collection[Network]) -> bool:
    """Whether the browser's connection uses TLS: `public_url` says so, or a trusted proxy in `X-Forwarded-Proto`."""
    if public_url is not None:
        return public_url.lower().startswith("https:")
    said = http.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
    return said == "https" and is_trusted(http.remote or "", trusted)


def network_of(address: str) -> str:
    """The addresses that count as one client: an IPv4 address, or the /64 that a household or a server has in IPv6."""
    parsed = _address(address)
    return str(IPv6Network((int(parsed), 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def is_trusted(address: str, networks: Collection[Network]) -> bool:
    """Whether an address, as text, is in one of the networks."""
    parsed = _address(address)
    return parsed is not None and _within(parsed, networks)


def _within(address: Address, networks: Collection[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _address(text: str) -> Address | None:
    """An address as proxies write it: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address

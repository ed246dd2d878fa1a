"""Where a request comes from: a client can't choose its own address, and a proxy can say it."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from velella.core.settings import Settings
from velella.http.kit.client import client_address, network_of


class _Peer:
    def __init__(self, peer: object) -> None:
        self._peer = peer

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self._peer if name == "peername" else default


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),  # a stranger says what they like
        ("127.0.0.1", (), "127.0.0.1"),
        ("127.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.1.2.3", ("1.1.1.1, 198.51.100.1",), "198.51.100.1"),  # 1.1.1.1 is the client's own invention
        ("10.1.2.3", ("1.1.1.1", "198.51.100.1, 192.168.0.7"), "198.51.100.1"),
        ("10.1.2.3", ("10.0.0.5",), "10.0.0.5"),
        ("10.1.2.3", ("198.51.100.1, nonsense",), "10.1.2.3"),
        ("10.1.2.3", ("198.51.100.1:4711",), "198.51.100.1"),
        ("::1", ("[2001:db8::1]:4711",), "2001:db8::1"),
        ("::ffff:203.0.113.9", (), "203.0.113.9"),
        ("::ffff:10.0.0.1", ("::ffff:198.51.100.1",), "198.51.100.1"),
        ("", ("198.51.100.1",), "198.51.100.1"),  # a proxy by a unix socket
        ("", (), "local"),
        ("127.0.0.1", (", ".join(["198.51.100.1", *["10.0.0.1"] * 5_000]),), "10.0.0.1"),
    ],
)
def test_the_address_is_the_peers_or_what_trusted_proxies_say(peer: str, forwarded: tuple[str, ...], client: str) -> None:
    headers = CIMultiDict([("X-Forwarded-For", one) for one in forwarded])
    request = make_mocked_request("GET", "/", headers=headers, transport=_Peer((peer, 1) if peer else ""))
    assert client_address(request, Settings().trusted_proxies) == client


def test_which_proxies_are_believed_is_a_setting() -> None:
    headers = CIMultiDict([("X-Forwarded-For", "198.51.100.1")])
    request = make_mocked_request("GET", "/", headers=headers, transport=_Peer(("127.0.0.1", 1)))
    assert client_address(request, Settings(trusted_proxies=[]).trusted_proxies) == "127.0.0.1"
    request = make_mocked_request("GET", "/", headers=headers, transport=_Peer(("203.0.113.9", 1)))
    assert client_address(request, Settings(trusted_proxies=[ip_network("203.0.113.0/24")]).trusted_proxies) == "198.51.100.1"
    assert Settings.model_validate_json(Settings().model_dump_json()).trusted_proxies == Settings().trusted_proxies


def test_a_household_of_ipv6_is_one_client() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert network_of("198.51.100.1") == "198.51.100.1"
    assert network_of("local") == "local"

from __future__ import annotations

import pytest

from consult.domain.client_address import client_group, client_key, neighbourhood_group, neighbourhood_key

KEY = b"k" * 32


@pytest.mark.parametrize(
    ("address", "client", "neighbourhood"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.0/24"),
        ("::FFFF:C000:0207", "192.0.2.7", "192.0.2.0/24"),
        ("192.0.2.7:50123", "192.0.2.7", "192.0.2.0/24"),
        (" 192.0.2.7 ", "192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("::ffff:192.0.2.7%3", "192.0.2.7", "192.0.2.0/24"),
        ("::1", "::/64", "::/48"),
    ],
)
def test_address_belongs_to_its_client_and_neighbourhood(address: str, client: str, neighbourhood: str) -> None:
    assert client_group(address) == client
    assert neighbourhood_group(address) == neighbourhood


@pytest.mark.parametrize("address", ["", "unknown", "192.0.2", "192.0.2.07", "1.2.3.4, 5.6.7.8", "一", "[", "a%b"])
def test_everything_that_is_no_address_is_one_client(address: str) -> None:
    assert client_group(address) == neighbourhood_group(address) == "unreadable"


def test_key_is_a_keyed_digest_that_does_not_show_the_address() -> None:
    key = client_key(KEY, "192.0.2.7")
    assert len(key) == 32
    assert set(key) <= set("0123456789abcdef")
    assert key == client_key(KEY, "::ffff:192.0.2.7")
    assert key != client_key(KEY, "192.0.2.8")
    assert key != client_key(b"other" * 8, "192.0.2.7")
    assert neighbourhood_key(KEY, "192.0.2.7") == neighbourhood_key(KEY, "192.0.2.200")
    assert client_key(KEY, "nonsense") != neighbourhood_key(KEY, "nonsense")

"""Which requests count as one client.

An IPv4 address is one client; so is an IPv6 /64, because one household or phone is given at least that much
and may send every request from another address in it. Addresses are kept only as keyed digests (security
guide, chapter 3).
"""

from __future__ import annotations

import hmac
import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_UNREADABLE = "unreadable"
_BRACKETED = re.compile(r"\[([^\]]*)\](?::\d{1,5})?")
_IPV4_WITH_PORT = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}")


def client_group(address: str) -> str:
    """Return the client an address belongs to: `192.0.2.7`, or `2001:db8:0:1::/64` for IPv6.

    IPv4 written inside IPv6 (`::ffff:192.0.2.7`) is IPv4; zone ids (`%eth0`), ports and brackets are dropped.
    All that is no address is one client, `unreadable`, so that a malformed header opens no fresh count.
    """
    parsed = _parse(address)
    if parsed is None:
        return _UNREADABLE
    return str(parsed) if isinstance(parsed, IPv4Address) else str(ip_network((parsed, 64), strict=False))


def neighbourhood_group(address: str) -> str:
    """Return the wider network an address belongs to: its IPv4 /24 or IPv6 /48."""
    parsed = _parse(address)
    if parsed is None:
        return _UNREADABLE
    prefix = 24 if isinstance(parsed, IPv4Address) else 48
    return str(ip_network((parsed, prefix), strict=False))


def client_key(key: bytes, address: str) -> str:
    """Return the keyed digest of the client of `address`: 32 hexadecimal characters, safe to log."""
    return _digest(key, f"client:{client_group(address)}")


def neighbourhood_key(key: bytes, address: str) -> str:
    """Return the keyed digest of the neighbourhood of `address`; never equal to a `client_key`."""
    return _digest(key, f"neighbourhood:{neighbourhood_group(address)}")


def _digest(key: bytes, text: str) -> str:
    # 128 bits are plenty for counting; a shorter key keeps the counter table small.
    return hmac.digest(key, text.encode("ascii"), "sha256")[:16].hex()


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    text = address.strip()
    if with_brackets := _BRACKETED.fullmatch(text):
        text = with_brackets[1]
    elif with_port := _IPV4_WITH_PORT.fullmatch(text):
        text = with_port[1]
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed

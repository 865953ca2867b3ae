"""Where a request comes from, as far as that can be known: all that tells strangers apart who make up new cookies."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network

#: Who has a connection of their own by IPv6 has a network of this many bits, and may use any address in it.
_NETWORK = 64


def address_of(peer: str | None, forwarded: Iterable[str]) -> str:
    """The address on the Internet that a request comes from; empty where it cannot be known.

    A peer on the Internet is the caller. A peer on this machine or in a private network may be a proxy, as on a Space:
    a proxy adds whom it serves at the end of `X-Forwarded-For`, behind whatever the caller wrote there. So the last
    address of the Internet counts. Where there is none, nobody is told apart: all callers may have one private address
    in common.

    Args:
        peer: The other end of the connection, or what the server takes for it.
        forwarded: The headers of that name, in their order.
    """
    named = ",".join(forwarded).split(",")
    return next(filter(None, map(_of_internet, [peer or "", *reversed(named)])), "")


def _of_internet(text: str) -> str:
    """An address as one that bounds are kept by; empty where it is none of the Internet."""
    text = text.strip().partition("/")[0]
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    try:
        if host.count(":") <= 1:  # a port may follow
            address = IPv4Address(host.partition(":")[0])
            return str(address) if address.is_global else ""
        long = IPv6Address(host)
    except AddressValueError:
        return ""
    if long.ipv4_mapped is not None:
        return _of_internet(str(long.ipv4_mapped))
    return str(IPv6Network((long, _NETWORK), strict=False)) if long.is_global else ""

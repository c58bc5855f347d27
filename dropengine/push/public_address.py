"""Which addresses are the world's: a request of ours that a stranger aims may go to no other."""

from __future__ import annotations

import ipaddress

UNICAST = ipaddress.ip_network("2000::/3")
"""Of IPv6 this is all that is given out. Beside it lie addresses that stand for others: mapped,
translated (NAT64), compatible; and those of one site or link."""
STAND_INS = tuple(
    map(ipaddress.ip_network, ("2002::/16", "2001::/23", "2001:db8::/32", "3fff::/20"))
)
"""Within it, addresses that carry another one inside (6to4, Teredo, ORCHID), and examples."""
INSIDERS = tuple(
    map(
        ipaddress.ip_network,
        # Beside what is private: shared by carriers, old relays, the cloud's own voice in Azure.
        ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"),
    )
)


def is_public(address: str) -> bool:
    """Does this address, as a resolver writes it, lead out into the world? What is none does
    not."""
    try:
        # A zone names a link of this machine.
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.scope_id is not None or found not in UNICAST:
            return False
        return found.is_global and not any(found in one for one in STAND_INS)
    if found.is_multicast or found.is_reserved or any(found in one for one in INSIDERS):
        return False
    return found.is_global

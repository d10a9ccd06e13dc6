"""Where an address is, as far as it can be told without asking anybody."""

import ipaddress
from functools import lru_cache

INTERNAL = "Internal Network"
TAILSCALE = (ipaddress.ip_network("100.64.0.0/10"), ipaddress.ip_network("fd7a:115c:a1e0::/48"))


@lru_cache(maxsize=4096)  # the same few addresses come again and again
def of(address: str | None) -> tuple[str, str]:
    """Country and city; for addresses of no country the name of the network, both empty when unknown."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "", ""
    if any(parsed in network for network in TAILSCALE if network.version == parsed.version):
        return INTERNAL, "Tailscale"
    return (INTERNAL, "LAN") if parsed.is_private or parsed.is_link_local else ("", "")

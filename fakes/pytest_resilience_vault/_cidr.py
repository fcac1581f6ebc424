"""Blocks of IP addresses."""

from __future__ import annotations

import ipaddress


def contains(blocks: list[str], address: str) -> bool:
    """Whether one of the blocks has the address in it."""
    asked = ipaddress.ip_address(address)
    return any(asked in network for network in map(_network, blocks) if network is not None)


def is_block(block: str) -> bool:
    """Whether it is a block, ``10.0.0.0/8``."""
    return "/" in block and is_address(block)


def is_address(block: str) -> bool:
    """Whether it is a block or an address."""
    return _network(block) is not None


def are_within(blocks: list[str], wider: list[str]) -> bool:
    """Whether each block lies in one of the wider ones; no wider ones allow everything."""
    outer = [network for network in map(_network, wider) if network is not None]
    return not outer or all(
        any(
            inner is not None and inner.version == other.version and inner.subnet_of(other)  # type: ignore[arg-type]  # of one version
            for other in outer
        )
        for inner in map(_network, blocks)
    )


def short(block: str) -> str:
    """A block as Vault shows it: that of a single address is the address (go-sockaddr)."""
    network = _network(block)
    single = network is not None and network.prefixlen == network.max_prefixlen
    return str(network.network_address) if network is not None and single else block


def full(block: str) -> str:
    """A block with its length, as some of Vault's errors show a single address."""
    return block if "/" in block else str(ipaddress.ip_network(block))


def unparsable(blocks: list[str]) -> str:
    """Why a list of addresses and blocks cannot be read; empty if it can (go-sockaddr)."""
    for block in blocks:
        if not is_address(block):
            words = f'Unable to convert "{block}" to an IPv4 or IPv6 address, or a UNIX Socket'
            return f'error parsing address "{block}": {words}'
    return ""


def _network(block: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(block, strict=False)
    except ValueError:
        return None

"""From where a request comes, as keyed hashes under a key of this process: enough to compare, not to look up.

    where = networks.where(request)      # Where(address, network, certificate)

A network is the client's /24 (IPv4) or /48 (IPv6). Headers of a proxy are believed from the proxy's address alone: of
`X-Forwarded-For` the last entry, which is what the proxy itself saw, and the client certificate's fingerprint.
"""

import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass, field

import structlog
from fastapi import Request

_log = structlog.get_logger()
_PREFIX = {4: 24, 6: 48}  # bits of an address that name its network


@dataclass(frozen=True, slots=True)
class Where:
    """One request's origin. `certificate` is None where the client showed none."""

    address: str = field(repr=False)  # the network in clear, for the throttle alone
    network: bytes = field(repr=False)  # 32 bytes
    certificate: bytes | None = field(repr=False)  # 32 bytes


class Networks:
    """Built once a process. `key` is random and never leaves memory: sessions do not outlive the process either."""

    def __init__(self, key: bytes, *, proxy: str = "", certificate_header: str = "") -> None:
        self._key = key
        self._proxy = proxy
        self._certificate_header = certificate_header
        self._warned = False

    def where(self, request: Request) -> Where:
        """From where this request comes."""
        peer = _address(request.client.host if request.client else "")
        if not self._proxy or peer != _address(self._proxy):
            return Where(_network(peer), self._hash("network", _network(peer)), None)
        forwarded = request.headers.getlist("x-forwarded-for")
        address = _address(_without_port(forwarded[-1].rpartition(",")[2])) if forwarded else ""
        shown = request.headers.get(self._certificate_header, "").strip() if self._certificate_header else ""
        certificate = self._hash("certificate", shown.casefold()) if shown else None
        if not address:
            # One network for all would make every stolen cookie at home: so this is one that nobody was ever in.
            if not self._warned:
                _log.warning("proxy_names_no_client", header="X-Forwarded-For")
                self._warned = True
            return Where(_network(peer), secrets.token_bytes(32), certificate)
        return Where(_network(address), self._hash("network", _network(address)), certificate)

    def _hash(self, what: str, value: str) -> bytes:
        return hmac.digest(self._key, f"{what}\n{value}".encode(), hashlib.sha256)


def _without_port(given: str) -> str:
    """`192.0.2.1:5678` and `[2001:db8::1]:5678`, as some proxies write, without the port."""
    given = given.strip()
    if given.startswith("["):
        return given[1:].partition("]")[0]
    return given.partition(":")[0] if given.count(":") == 1 else given


def _address(given: str) -> str:
    """An address as it is compared; "" for what is none. IPv4 inside IPv6 is IPv4."""
    try:
        address = ipaddress.ip_address(given.strip().partition("%")[0])
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _network(address: str) -> str:
    if not address:
        return ""
    prefix = _PREFIX[ipaddress.ip_address(address).version]
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))

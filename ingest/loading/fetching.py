"""Fetch a public page: only to addresses that were checked, within limits, whatever the other side does."""

from __future__ import annotations

import codecs
import ipaddress
import re
import socket
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from ingest.loading.contract import Limits, LoadError, Reason

if TYPE_CHECKING:
    from httpcore import NetworkStream

MOST_REDIRECTS = 5
MOST_SECONDS = 60
WAIT_SECONDS = 15
"""For one connection, or for the next bytes."""

_PORTS = {"http": 80, "https": 443}
_USER_AGENT = b"Mozilla/5.0 (compatible; Tradewind; trade guidance for small firms)"
_MOST_HEADER_BYTES = 100_000
_TYPES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/markdown": ".md",
    "text/x-markdown": ".md",
    "text/plain": ".txt",
    # Said by servers that do not know; the content decides.
    "application/octet-stream": "",
    "binary/octet-stream": "",
}
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]{2,40})", re.I)
_UNWANTED = re.compile(r"[\x00-\x20\x7f\\]")
# Forms of IPv6 addresses that carry one of IPv4, which is the one that gets the connection.
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
Connector = Callable[[str, int, float], "NetworkStream"]


@dataclass(frozen=True)
class Fetched:
    """A page as it came: where it lies, what to call it, and the address that it came from in the end."""

    path: Path
    name: str
    url: str


def fetch(
    url: str,
    folder: Path,
    *,
    limits: Limits = Limits(),
    _resolve: Resolver | None = None,
    _connect: Connector | None = None,
) -> Fetched:
    """Bring the page at `url` into `folder`. Blocks.

    `_resolve` and `_connect` stand in for the system's own in tests; the checks between them stay.

    Raises:
        LoadError: the address is refused, nothing came, or too much, or of a kind that cannot be read.
    """
    visit = _Visit(
        limits, time.monotonic() + min(MOST_SECONDS, limits.seconds), _resolve or _system_addresses, _connect or _open
    )
    target = _checked(url)
    for _ in range(MOST_REDIRECTS + 1):
        answer = visit.get(target)
        if answer.location is None:
            return _stored(answer, target, folder)
        target = _checked(urljoin(target.url, answer.location))
    raise LoadError(Reason.NOT_REACHED, "too many redirects")


@dataclass(frozen=True)
class _Target:
    scheme: str
    host: str
    """In ASCII."""
    path: str
    """With the query."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self._host_in_url}{self.path}"

    @property
    def _host_in_url(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def host_header(self) -> bytes:
        return self._host_in_url.encode("ascii")


@dataclass(frozen=True)
class _Answer:
    location: str | None
    type: str
    charset: str | None
    body: bytes


def _checked(url: str) -> _Target:
    """The parts of `url`.

    Raises:
        LoadError: it is none that may be fetched.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise LoadError(Reason.ADDRESS_REFUSED, str(error)) from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not host or len(url) > 2_000 or _UNWANTED.search(url):
        raise LoadError(Reason.ADDRESS_REFUSED, "scheme or host")
    if "@" in parts.netloc or (port is not None and port not in _PORTS.values()):
        raise LoadError(Reason.ADDRESS_REFUSED, "user or port")
    if port is not None and port != _PORTS[scheme]:
        raise LoadError(Reason.ADDRESS_REFUSED, "port of another scheme")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (
        f"?{quote(parts.query, safe='/?%:@!$&()*+,;=~-._')}" if parts.query else ""
    )
    return _Target(scheme, _ascii_host(host), path)


def _ascii_host(host: str) -> str:
    import idna

    if _is_address(host):
        return str(ipaddress.ip_address(host))
    try:
        ascii_host = idna.encode(host.rstrip("."), uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise LoadError(Reason.ADDRESS_REFUSED, str(error)) from error
    # A last label of digits (or 0x...) is how 2130706433, 0177.1 and 0x7f.1 stand for 127.0.0.1.
    last = ascii_host.rsplit(".", 1)[-1]
    if "." not in ascii_host or last.isdecimal() or last.startswith("0x"):
        raise LoadError(Reason.ADDRESS_REFUSED, f"host {ascii_host}")
    return ascii_host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id or address.is_site_local:
            return False
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if any(address in network for network in _NAT64) or address in _COMPATIBLE:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if any(found is not None and not _is_public(found) for found in inner):
            return False
        if address.ipv4_mapped is not None:
            return True
    return address.is_global and not address.is_multicast and not address.is_reserved


class _Visit:
    """The requests of one fetch, under one clock."""

    def __init__(self, limits: Limits, deadline: float, resolve: Resolver, connect: Connector) -> None:
        self._limits = limits
        self._deadline = deadline
        self._resolve = resolve
        self._connect = connect

    def get(self, target: _Target) -> _Answer:
        """The answer of one server.

        Raises:
            LoadError: there is none that can be used.
        """
        import httpcore

        from ingest.loading.guarded import GuardedBackend

        address = self._public_address(target)
        backend = GuardedBackend(address, self._connect, self._deadline)
        headers = [
            (b"Host", target.host_header),
            (b"User-Agent", _USER_AGENT),
            (b"Accept", b"text/html,application/pdf,text/*;q=0.9,*/*;q=0.5"),
            (b"Accept-Encoding", b"gzip, deflate"),
            (b"Connection", b"close"),
        ]
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), float(WAIT_SECONDS))
        try:
            with (
                httpcore.ConnectionPool(network_backend=backend, retries=0) as pool,
                pool.stream("GET", target.url, headers=headers, extensions={"timeout": timeouts}) as response,
            ):
                return self._read(response)
        except httpcore.TimeoutException as error:
            raise LoadError(Reason.TOO_SLOW, f"{target.host}: {error!r}") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
            raise LoadError(Reason.NOT_REACHED, f"{target.host}: {error!r}") from error

    def _public_address(self, target: _Target) -> str:
        left = self._deadline - time.monotonic()
        if _is_address(target.host):
            found: Sequence[str] = [target.host]
        else:
            found = _within(min(left, WAIT_SECONDS), lambda: self._resolve(target.host, _PORTS[target.scheme]))
        if not found:
            raise LoadError(Reason.NOT_REACHED, f"{target.host} has no address")
        try:
            addresses = [ipaddress.ip_address(text) for text in found]
        except ValueError as error:
            raise LoadError(Reason.ADDRESS_REFUSED, str(error)) from error
        # One private address among public ones is refused too: who controls the name chooses which one we would get.
        if not all(_is_public(address) for address in addresses):
            raise LoadError(Reason.ADDRESS_REFUSED, f"{target.host} is {', '.join(found)}")
        return str(next((one for one in addresses if one.version == 4), addresses[0]))

    def _read(self, response: Any) -> _Answer:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        if response.status in (301, 302, 303, 307, 308) and "location" in headers:
            return _Answer(headers["location"], "", None, b"")
        if response.status != 200:
            raise LoadError(Reason.NOT_REACHED, f"status {response.status}")
        said = headers.get("content-type", "")
        type_ = said.split(";")[0].strip().lower()
        if type_ and type_ not in _TYPES:
            raise LoadError(Reason.UNSUPPORTED, type_)
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._limits.bytes:
            raise LoadError(Reason.TOO_LARGE, f"{length} bytes")
        charset = _CHARSET.search(said)
        body = self._body(response, headers.get("content-encoding", "").strip().lower())
        return _Answer(None, type_, charset[1] if charset else None, body)

    def _body(self, response: Any, encoding: str) -> bytes:
        body = bytearray()
        for block in _decoded(self._blocks(response), encoding, self._limits.bytes):
            body += block
            if len(body) > self._limits.bytes:
                raise LoadError(Reason.TOO_LARGE, "more than the limit")
        if not body:
            raise LoadError(Reason.EMPTY)
        return bytes(body)

    def _blocks(self, response: Any) -> Iterator[bytes]:
        for block in response.iter_stream():
            if time.monotonic() > self._deadline:
                raise LoadError(Reason.TOO_SLOW)
            yield block


def _decoded(blocks: Iterator[bytes], encoding: str, most: int) -> Iterator[bytes]:
    """`blocks` unpacked, never more than `most` bytes at once: a kilobyte may unpack to a megabyte."""
    if encoding in ("", "identity"):
        yield from blocks
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise LoadError(Reason.NOT_REACHED, f"encoding {encoding}")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32) if "gzip" in encoding else None
    for block in blocks:
        if unpacker is None:  # "deflate" is with a zlib header to some servers, without to others
            unpacker = zlib.decompressobj(zlib.MAX_WBITS if block[:1] == b"\x78" else -zlib.MAX_WBITS)
        try:
            yield unpacker.decompress(block, most + 1)
        except zlib.error as error:
            raise LoadError(Reason.DAMAGED, str(error)) from error
        if unpacker.unconsumed_tail:
            raise LoadError(Reason.TOO_LARGE, "unpacks to more than the limit")


def _stored(answer: _Answer, target: _Target, folder: Path) -> Fetched:
    suffix = _TYPES.get(answer.type, "")
    body = answer.body
    if answer.charset and answer.type.startswith(("text/", "application/xhtml")):
        # The file alone does not tell its encoding; a byte order mark does.
        try:
            body = codecs.BOM_UTF8 + body.decode(answer.charset).removeprefix("\ufeff").encode("utf-8")
        except (LookupError, UnicodeError):
            body = answer.body
    with tempfile.NamedTemporaryFile(dir=folder, prefix="fetched-", suffix=suffix, delete=False) as file:
        file.write(body)
    last = PurePosixPath(unquote(urlsplit(target.path).path)).name
    name = re.sub(r"[^\w.() -]+", "_", last)[-100:] or target.host
    if suffix and PurePosixPath(name).suffix.lower() != suffix:
        name += suffix
    return Fetched(Path(file.name), name, target.url)


def _system_addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _within(seconds: float, ask: Callable[[], Sequence[str]]) -> Sequence[str]:
    """What `ask` gives; the system's resolver has no time limit of its own.

    Raises:
        LoadError: it gives nothing, or not in time.
    """
    found: list[Sequence[str]] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            found.append(ask())
        except (OSError, UnicodeError) as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True, name="resolve")
    thread.start()
    thread.join(max(0.0, seconds))
    if found:
        return found[0]
    raise LoadError(Reason.NOT_REACHED if failed else Reason.TOO_SLOW, f"name not resolved: {failed}")


def _open(address: str, port: int, timeout: float) -> NetworkStream:
    from httpcore import SyncBackend

    return SyncBackend().connect_tcp(address, port, timeout=timeout)

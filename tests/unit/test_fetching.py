"""A fetch reaches public addresses only, the one that was checked, and stops at its limits."""

from __future__ import annotations

import codecs
import gzip
import ipaddress
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpcore
import pytest

from ingest.loading import Limits, LoadError, Reason, fetch, fetching, load
from tests.fixtures.guidance import WEB_PAGE

PUBLIC = "93.184.216.34"
GOOD = b"<html><body><p>The permit costs 20 selas.</p></body></html>"


class Server:
    """Answers in place of the network: names, and what each connection says."""

    def __init__(self, *answers: bytes, names: dict[str, Sequence[str]] | None = None) -> None:
        self.answers = list(answers)
        self.names = names or {}
        self.resolved: list[str] = []
        self.connected: list[tuple[str, int]] = []
        self.tls_names: list[str | None] = []
        self.sent = b""

    def resolve(self, host: str, port: int) -> Sequence[str]:
        self.resolved.append(host)
        return self.names.get(host, [PUBLIC])

    def connect(self, address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        self.connected.append((address, port))
        return Stream(self, self.answers.pop(0))

    def fetch(self, url: str, folder: Path, **options: Any) -> fetching.Fetched:
        return fetch(url, folder, _resolve=self.resolve, _connect=self.connect, **options)


class Stream(httpcore.NetworkStream):
    """One connection with a ready answer."""

    def __init__(self, server: Server, answer: bytes) -> None:
        self.server = server
        self.answer = answer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        block, self.answer = self.answer[:max_bytes], self.answer[max_bytes:]
        return block

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.server.sent += buffer

    def close(self) -> None: ...

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        assert ssl_context.check_hostname
        assert ssl_context.verify_mode is ssl.CERT_REQUIRED
        self.server.tls_names.append(server_hostname)
        return self

    def get_extra_info(self, info: str) -> Any:
        return None


def answer(
    body: bytes = GOOD, type_: str = "text/html; charset=utf-8", status: str = "200 OK", **headers: str
) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {type_}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def redirect(location: str) -> bytes:
    return answer(b"", status="302 Found", Location=location)


def refused(server: Server, url: str, folder: Path, **options: Any) -> Reason:
    with pytest.raises(LoadError) as caught:
        server.fetch(url, folder, **options)
    assert not list(folder.iterdir())
    return caught.value.reason


def test_good_page(tmp_path: Path) -> None:
    server = Server(answer(WEB_PAGE.encode()))
    fetched = server.fetch("https://Agency.Example/guides/spices?lang=en#top", tmp_path)
    assert server.connected == [(PUBLIC, 443)]
    assert server.tls_names == ["agency.example"]
    assert server.sent.startswith(b"GET /guides/spices?lang=en HTTP/1.1\r\nHost: agency.example\r\n")
    assert (fetched.name, fetched.url) == ("spices.html", "https://agency.example/guides/spices?lang=en")
    assert fetched.path.parent == tmp_path
    loaded = load(fetched.path, fetched.name)
    assert loaded.title == "Exporting spices to the Coral Pact"
    assert "3.1 per cent" in loaded.markdown


def test_names_in_other_scripts(tmp_path: Path) -> None:
    server = Server(answer())
    server.fetch("http://zölle.example/gebühren", tmp_path)
    assert server.resolved == ["xn--zlle-5qa.example"]
    assert b"GET /geb%C3%BChren HTTP/1.1\r\nHost: xn--zlle-5qa.example\r\n" in server.sent


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://agency.example/x", "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "agency.example"),
        *("http://", "https:///x", "", "http://agency.example:8080/", "http://agency.example:22/"),
        *("https://agency.example:80/", "http://agency.example:443/", "http://agency.example:99999/"),
        *("http://user:secret@agency.example/", "http://agency.example@127.0.0.1/", "http://@agency.example/"),
        *("http://agency.example\\@127.0.0.1/", "http://agency.example/a b", "http://agency.example/\r\nX: y"),
        *(
            "http://localhost/",
            "http://intranet/",
            "http://[::1",
            "http://a..b.example/",
            f"http://{'a' * 64}.example/",
        ),
        "http://agency.example/" + "x" * 3_000,
    ],
)
def test_addresses_that_are_refused_unseen(tmp_path: Path, url: str) -> None:
    server = Server()
    assert refused(server, url, tmp_path) is Reason.ADDRESS_REFUSED
    assert server.connected == []


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "0"),
        *("2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "017700000001", "１２７.0.0.1", "127。0。0。1"),
        *("224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "240.0.0.1", "127.0.0.1."),
        *(
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fe80::1%25eth0]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[ff02::1]",
            "[2001:db8::1]",
        ),
        *("[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[2002:7f00:1::]"),
        *("[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]", "[64:ff9b:1::a00:1]", "[2001:0:7f00:1::]", "[fec0::1]"),
    ],
)
def test_private_addresses_are_refused(tmp_path: Path, host: str) -> None:
    server = Server()
    # The system would take odd forms of IPv4 addresses for what they mean.
    server.resolve = lambda host, port: [host.strip("[]") if _is_address(host) else "127.0.0.1"]  # type: ignore[method-assign]
    assert refused(server, f"http://{host}/latest/meta-data", tmp_path) is Reason.ADDRESS_REFUSED
    assert server.connected == []


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        [PUBLIC, "10.0.0.5"],
        ["fd00::1", PUBLIC],
        ["::ffff:192.168.0.1"],
        ["fe80::1%eth0"],
    ],
)
def test_names_that_lead_to_private_addresses(tmp_path: Path, addresses: list[str]) -> None:
    server = Server(names={"rebind.example": addresses})
    assert refused(server, "https://rebind.example/", tmp_path) is Reason.ADDRESS_REFUSED
    assert server.connected == []


def test_name_is_looked_up_once_and_the_checked_address_is_used(tmp_path: Path) -> None:
    server = Server(answer())
    changing = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return next(changing)

    fetch("https://rebind.example/", tmp_path, _resolve=resolve, _connect=server.connect)
    assert asked == ["rebind.example"]
    assert server.connected == [(PUBLIC, 443)]


def test_public_ipv6(tmp_path: Path) -> None:
    server = Server(answer(), names={"six.example": ["2606:2800:220:1:248:1893:25c8:1946"]})
    server.fetch("http://six.example/", tmp_path)
    assert server.connected == [("2606:2800:220:1:248:1893:25c8:1946", 80)]


def test_redirects_are_followed_and_checked(tmp_path: Path) -> None:
    server = Server(redirect("https://www.agency.example/a"), redirect("../b"), answer())
    fetched = server.fetch("http://agency.example/", tmp_path)
    assert fetched.url == "https://www.agency.example/b"
    assert server.resolved == ["agency.example", "www.agency.example", "www.agency.example"]


@pytest.mark.parametrize(
    "location",
    [
        *("http://127.0.0.1/", "http://169.254.169.254/latest/", "//10.0.0.1/x", "file:///etc/passwd", "http://[::1]/"),
        *(
            "http://inside.example/",
            "ftp://agency.example/",
            "http://agency.example:8080/",
            "http://u:p@agency.example/",
        ),
    ],
)
def test_redirects_to_private_places_are_refused(tmp_path: Path, location: str) -> None:
    server = Server(redirect(location), names={"inside.example": ["192.168.7.7"]})
    assert refused(server, "https://agency.example/", tmp_path) is Reason.ADDRESS_REFUSED
    assert len(server.connected) == 1


def test_redirects_end(tmp_path: Path) -> None:
    server = Server(*[redirect("/again")] * 10)
    assert refused(server, "https://agency.example/", tmp_path) is Reason.NOT_REACHED
    assert len(server.connected) == fetching.MOST_REDIRECTS + 1


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (answer(b"x" * 3_000), Reason.TOO_LARGE),
        (answer(b"", Content_Length="99999999"), Reason.TOO_LARGE),
        (answer(gzip.compress(bytes(3_000_000)), Content_Encoding="gzip"), Reason.TOO_LARGE),
        (answer(b"not gzip at all", Content_Encoding="gzip"), Reason.DAMAGED),
        (answer(GOOD, Content_Encoding="br"), Reason.NOT_REACHED),
        (answer(b"GIF89a", "image/gif"), Reason.UNSUPPORTED),
        (answer(b"x", "video/mp4"), Reason.UNSUPPORTED),
        (answer(b"{}", "application/json"), Reason.UNSUPPORTED),
        (answer(b""), Reason.EMPTY),
        (answer(status="404 Not Found"), Reason.NOT_REACHED),
        (answer(status="500 Oops"), Reason.NOT_REACHED),
        (answer(b"", status="302 Found"), Reason.NOT_REACHED),
        (b"", Reason.NOT_REACHED),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Reason.NOT_REACHED),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, Reason.NOT_REACHED),
    ],
)
def test_answers_that_are_refused(tmp_path: Path, response: bytes, reason: Reason) -> None:
    assert refused(Server(response), "https://agency.example/", tmp_path, limits=Limits(bytes=2_000)) is reason


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_packed_answers(tmp_path: Path, encoding: str) -> None:
    import zlib

    packed = gzip.compress(GOOD) if encoding == "gzip" else zlib.compress(GOOD)
    fetched = Server(answer(packed, Content_Encoding=encoding)).fetch("https://agency.example/", tmp_path)
    assert fetched.path.read_bytes().removeprefix(codecs.BOM_UTF8) == GOOD


def test_declared_encoding_is_kept_and_names_are_harmless(tmp_path: Path) -> None:
    text = "<html><body><p>La déclaration coûte 20 selas.</p></body></html>"
    server = Server(answer(text.encode("cp1252"), "text/html; charset=windows-1252"))
    fetched = server.fetch("https://agency.example/a/%2e%2e%2f..%00x%0ay.php", tmp_path)
    assert fetched.path.read_text(encoding="utf-8-sig") == text
    assert fetched.path.parent == tmp_path
    assert "/" not in fetched.name
    assert fetched.name.endswith(".html")
    assert fetched.name.isprintable()


def test_unknown_names_and_failing_connections(tmp_path: Path) -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    def broken(address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        raise httpcore.ConnectError("refused")

    def late(address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        raise httpcore.ConnectTimeout("late")

    good = Server()
    cases: list[tuple[Callable[..., Any], Callable[..., Any], Reason]] = [
        (unknown, broken, Reason.NOT_REACHED),
        (good.resolve, broken, Reason.NOT_REACHED),
        (good.resolve, late, Reason.TOO_SLOW),
        (lambda host, port: [], broken, Reason.NOT_REACHED),
    ]
    for resolve, connect, reason in cases:
        with pytest.raises(LoadError) as caught:
            fetch("https://agency.example/", tmp_path, _resolve=resolve, _connect=connect)
        assert caught.value.reason is reason


def test_slow_names_and_dripping_servers(tmp_path: Path) -> None:
    class Dripping(Stream):
        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            time.sleep(0.02)
            return super().read(1)

    server = Server()
    limits = Limits(seconds=0.3)
    began = time.monotonic()
    with pytest.raises(LoadError) as caught:
        fetch(
            "http://agency.example/",
            tmp_path,
            limits=limits,
            _resolve=server.resolve,
            _connect=lambda *_: Dripping(server, answer(b"x" * 5_000)),
        )
    assert caught.value.reason is Reason.TOO_SLOW

    def sleeping(host: str, port: int) -> Sequence[str]:
        time.sleep(5)
        return [PUBLIC]

    with pytest.raises(LoadError) as caught:
        fetch("http://agency.example/", tmp_path, limits=limits, _resolve=sleeping, _connect=server.connect)
    assert caught.value.reason is Reason.TOO_SLOW
    assert time.monotonic() - began < 3

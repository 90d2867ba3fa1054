"""Fetching profiles: servers that behave and servers that do not, packed files that are damaged."""

from __future__ import annotations

import base64
import gzip
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from goretain.model.errors import CorruptFile, UsageError
from goretain.profile.sources.source import Unreachable, _mend, read_source, unpacked

BODY = b"\x0a\x04profile" * 100


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/heap":
            self._answer(200, gzip.compress(BODY))
        elif path == "/private":
            known = self.headers["Authorization"] == "Basic " + base64.b64encode(b"me:se/cret").decode()
            self._answer(200 if known else 401, BODY)
        elif path == "/moved":
            self._moved("/heap")
        elif path == "/away":
            self._moved("file:///etc/hostname")
        elif path == "/circle":
            self._moved("/circle")
        elif path == "/endless":
            self.send_response(200)
            self.end_headers()
            while not self.server.stopping.is_set():  # type: ignore[attr-defined]
                self.wfile.write(b"x" * 65536)
        elif path == "/drip":
            self.send_response(200)
            self.end_headers()
            while not self.server.stopping.wait(0.02):  # type: ignore[attr-defined]
                self.wfile.write(b"x")
        elif path == "/silent":
            self.server.stopping.wait(10)  # type: ignore[attr-defined]
        else:
            self._answer(404, b"Unknown profile\n")

    def _moved(self, where: str) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        self.end_headers()

    def _answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    httpd.stopping = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.stopping.set()  # type: ignore[attr-defined]
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_a_url_is_fetched_and_unpacked(server: str) -> None:
    assert read_source(f"{server}/heap?gc=1").data == BODY
    assert read_source(f"{server}/moved").data == BODY


def test_a_password_is_used_and_not_shown(server: str) -> None:
    source = read_source(server.replace("//", "//me:se%2Fcret@") + "/private")
    assert (source.name, source.data) == (f"{server}/private", BODY)
    with pytest.raises(Unreachable, match="answered 401") as wrong:
        read_source(server.replace("//", "//me:other@") + "/private")
    assert "other" not in wrong.value.message


def test_what_gives_no_profile_says_why(server: str) -> None:
    with pytest.raises(Unreachable, match="answered 404 Not Found: Unknown profile") as wrong:
        read_source(f"{server}/debug/pprof/hep")
    assert "debug/pprof/heap" in wrong.value.hint
    with pytest.raises(Unreachable, match=r"said nothing for 0 s|timed out"):
        read_source(f"{server}/silent", silence=0.2)
    with pytest.raises(Unreachable, match="did not end within 0 s"):
        read_source(f"{server}/drip", patience=0.3)
    with pytest.raises(CorruptFile, match=r"more than 1\.0 MiB"):
        read_source(f"{server}/endless", most=1 << 20)
    with pytest.raises(Unreachable, match="302"):
        read_source(f"{server}/away")
    with pytest.raises(Unreachable, match="infinite loop") as wrong:
        read_source(f"{server}/circle")
    assert "\n" not in wrong.value.message


def test_what_fails_of_https_says_what_to_do(server: str) -> None:
    with pytest.raises(Unreachable, match="SSL") as wrong:
        read_source(f"{server.replace('http:', 'https:')}/heap")
    assert wrong.value.hint == "does it serve http, not https?"
    assert "SSL_CERT_FILE" in _mend(ssl.SSLCertVerificationError(1, "self-signed certificate"))


def test_nobody_listening_says_so() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/heap"
        with pytest.raises(Unreachable, match="Connection refused"):
            read_source(url)
    for url in ("http://", "http://127.0.0.1:notaport/heap", "http://127.0.0.1:1/a b\n"):
        with pytest.raises(Unreachable):
            read_source(url)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "heap.pb.gz"
    path.write_bytes(gzip.compress(BODY) + gzip.compress(BODY))
    assert read_source(str(path)).data == BODY * 2
    path.write_bytes(BODY)
    assert read_source(str(path)).data == BODY
    for name, reason in ((str(tmp_path), "is a directory"), (str(tmp_path / "none"), "No such file")):
        with pytest.raises(UsageError, match=reason):
            read_source(name)


def test_damaged_packing_is_an_error_with_the_offset() -> None:
    packed = gzip.compress(BODY)
    with pytest.raises(CorruptFile, match="the end is missing") as wrong:
        unpacked(packed[:-9], "cut")
    assert wrong.value.offset == len(packed) - 9
    broken = bytearray(gzip.compress(BODY) * 2)
    broken[len(packed) + 12] ^= 0xFF
    with pytest.raises(CorruptFile, match="gzip") as wrong:
        unpacked(bytes(broken), "broken")
    assert wrong.value.offset == len(packed)
    with pytest.raises(CorruptFile, match="more than"):
        unpacked(gzip.compress(bytes(10_000_000)), "bomb", 1 << 20)
    with pytest.raises(CorruptFile, match="more than 16 parts"):
        unpacked(gzip.compress(b"") * 1000, "parts")

"""A node's figures, and what a node that lies gives in place of them."""

from __future__ import annotations

import json
import socket
import threading
from ipaddress import IPv4Address

import pytest

from keeper.renter import figures
from keeper.renter.figures import Figures, FiguresWrong, WayOut, read, scrape, way_out
from keeper.renter.place import NotConnected

NODE = IPv4Address("10.1.2.3")


def test_what_is_known_is_read_and_the_rest_is_left() -> None:
    text = b"""# TYPE ray_node_mem_used gauge
ray_node_mem_used{ip="10.1.2.3"} 5e9
ray_node_cpu_utilization 12.34
ray_object_store_used_memory{a="1"} 3
ray_object_store_used_memory{a="2"} 4
ray_node_disk_free NaN
ray_node_cpu_count -5
ray_node_mem_total 1e300
something_else 7
"""
    assert read(text, NODE) == Figures(cpu_percent=12.3, memory_used=5_000_000_000, objects_used=7)
    assert read(b"", NODE) == Figures()


@pytest.mark.parametrize("text", [b"\xff", b"a{", b"ray_node_mem_used x", b'a{b="\n', b"{}{}{}"])
def test_rubbish_is_refused(text: bytes) -> None:
    with pytest.raises(FiguresWrong, match=r"10\.1\.2\.3 gives figures that make no sense"):
        read(text, NODE)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "gives no figures"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"a 1\n" * 300_000, "without an end"),
        (b"HTTP/1.1 " + b"x" * 100_000, "gives no figures"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200, "gives no figures"),
    ],
    ids=range(4),
)
def test_a_node_that_answers_otherwise(answer: bytes, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "MOST_BYTES", 1 << 20)
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs:
            theirs.recv(4_096)
            try:
                theirs.sendall(answer)
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(FiguresWrong, match=told):
        scrape(lambda node, port: ours, NODE)
    thread.join()


SAID = {
    "allowed": ["pypi.org", "*.hub.example"],
    "limit": 9,
    "sent": 1,
    "received": 2,
    "connections": 3,
    "refused": 4,
}


def told(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> WayOut | None:
    asked: list[tuple[int, str]] = []

    def ask(opens: figures.Opens, node: IPv4Address, port: int, path: str, most: int) -> bytes:
        asked.append((port, path))
        return answer

    monkeypatch.setattr(figures, "_ask", ask)
    try:
        return way_out(lambda node, port: socket.socket(), NODE)
    finally:
        assert asked == [(3_129, "/")]


def test_what_a_node_lets_out_to(monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(monkeypatch, json.dumps(SAID).encode())
    assert found == WayOut(("pypi.org", "*.hub.example"), 9, 1, 2, 3, 4)


def test_a_node_without_a_way_out_has_none() -> None:
    def refuses(node: IPv4Address, port: int) -> socket.socket:
        raise NotConnected("10.1.2.3:3129 can't be reached: Connection refused")

    assert way_out(refuses, NODE) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": -1},
        {"sent": 1 << 63},
        {"received": "1"},
        {"allowed": ["\x1b[2J"]},
        {"allowed": [f"a{n}.example" for n in range(65)]},
        {"allowed": ["a" * 300]},
        {"allowed": "pypi.org"},
    ],
)
def test_a_way_out_that_makes_no_sense(wrong: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FiguresWrong, match=r"10\.1\.2\.3 says of its way out what makes no sense"):
        told(monkeypatch, json.dumps({**SAID, **wrong}).encode())

"""A node's figures, and what a node that lies gives in place of them."""

from __future__ import annotations

import socket
import threading
from ipaddress import IPv4Address

import pytest

from keeper.renter import figures
from keeper.renter.figures import Figures, FiguresWrong, read, scrape

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

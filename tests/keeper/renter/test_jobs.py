"""What a hostile head may answer: each answer is refused by name, in bounded time and memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from keeper.renter import jobs as module
from keeper.renter.jobs import HeadError, JobRefused, Jobs, JobUnknown, State, TokenRefused, printable
from keeper.renter.packing import Package

JOB = {"submission_id": "a", "status": "RUNNING", "entrypoint": "true", "type": "SUBMISSION"}
Answer = Callable[[BaseHTTPRequestHandler], None]


class Head:
    """An HTTP server that answers as it is told."""

    def __init__(self) -> None:
        self.answer: Answer = lambda _: None
        self.asked: list[tuple[str, str, str]] = []
        head = self

        class Handler(BaseHTTPRequestHandler):
            def serve(self) -> None:
                self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
                head.asked.append((self.command, self.path, self.headers.get("authorization", "")))
                head.answer(self)

            do_GET = do_POST = do_PUT = serve

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def says(self, body: bytes, status: int = 200) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            handler.send_header("content-length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        self.answer = answer


@pytest.fixture
def head() -> Iterator[Head]:
    made = Head()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def jobs(head: Head) -> Iterator[Jobs]:
    made = Jobs(f"http://127.0.0.1:{head.server.server_port}", "ab" * 32)
    yield made
    made.close()


def test_what_a_head_says_rightly(head: Head, jobs: Jobs) -> None:
    head.says(
        json.dumps([{**JOB, "start_time": 5}, {**JOB, "submission_id": None, "start_time": 9}]).encode()
    )
    newest, oldest = jobs.list()
    assert (newest.name, oldest.name, oldest.status) == ("", "a", State.RUNNING)
    assert head.asked == [("GET", "/api/jobs/", f"Bearer {'ab' * 32}")]
    head.says(json.dumps({"logs": "all of it"}).encode())
    assert jobs.logs("a") == "all of it"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 200_000,
        b'"text"',
        b"[1]",
        json.dumps([{**JOB, "status": "WELL"}]).encode(),
        json.dumps([{**JOB, "start_time": 1 << 70}]).encode(),
        json.dumps([{**JOB, "start_time": -1}]).encode(),
        json.dumps([{**JOB, "driver_exit_code": 1 << 40}]).encode(),
        json.dumps([{**JOB, "submission_id": "x" * 300}]).encode(),
        b'[{"status": "\xff"}]',
    ],
    ids=range(11),
)
def test_rubbish_is_refused(head: Head, jobs: Jobs, body: bytes) -> None:
    head.says(body)
    with pytest.raises(HeadError, match="makes no sense") as told:
        jobs.list()
    assert str(told.value).isprintable() and len(str(told.value)) < 400


def test_too_much_is_refused_before_it_is_all_here(
    head: Head, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1 << 16)
    ended = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b" " * 65_536)
        except OSError:
            ended.set()

    head.answer = answer
    with pytest.raises(HeadError, match="more than 0 MiB"):
        jobs.list()
    assert ended.wait(30)


def test_a_compressed_answer_is_not_unpacked(head: Head, jobs: Jobs) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-encoding", "gzip")
        handler.send_header("content-length", "2")
        handler.end_headers()
        handler.wfile.write(b"[]")

    head.answer = answer
    assert jobs.list() == []


def test_a_head_that_sends_elsewhere_is_not_followed(head: Head, jobs: Jobs) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("location", "http://127.0.0.1:1/token")
        handler.send_header("content-length", "0")
        handler.end_headers()

    head.answer = answer
    with pytest.raises(HeadError, match="answers 302"):
        jobs.list()
    assert len(head.asked) == 1


def test_names_are_no_paths(head: Head, jobs: Jobs) -> None:
    for name in ("", ".", "..", "../packages", "a/b", "a?b", "a\nb", "x" * 101, "é"):
        with pytest.raises(JobUnknown, match="is no job's name"):
            jobs.get(name)
        with pytest.raises(JobUnknown):
            jobs.submit(name, "true")
    assert head.asked == []
    head.says(json.dumps([{**JOB, "submission_id": "../x"}]).encode())
    assert jobs.list()[0].name == ""


def test_refusals_have_their_reason_in_one_line(head: Head, jobs: Jobs) -> None:
    head.says(b"Traceback\n  File x\nValueError: no \x1b[2Jsuch thing\n", 400)
    with pytest.raises(JobRefused, match=r"doesn't take the job: ValueError: no  \[2Jsuch thing$"):
        jobs.submit("a", "true")
    head.says(b"", 404)
    with pytest.raises(JobUnknown, match="the cluster has no job a"):
        jobs.stop("a")
    for status in (401, 403):
        head.says(b"", status)
        with pytest.raises(TokenRefused):
            jobs.list()
    head.says(json.dumps({"submission_id": "b"}).encode())
    with pytest.raises(HeadError, match="another job than was asked for"):
        jobs.submit("a", "true")
    with pytest.raises(JobRefused, match="at most 32768 bytes"):
        jobs.submit("a", "x" * 40_000)


def test_a_package_that_is_there_is_not_sent_again(head: Head, jobs: Jobs) -> None:
    package = Package(b"bytes")
    head.says(b"")
    jobs.upload(package)
    assert [each[0] for each in head.asked] == ["GET"]
    there: list[bytes] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.command == "PUT":
            there.append(handler.body)
        handler.send_response(200 if there else 404)
        handler.send_header("content-length", "0")
        handler.end_headers()

    head.answer = answer
    jobs.upload(package)
    assert there == [b"bytes"]


def test_a_job_is_followed_to_its_end(head: Head, jobs: Jobs) -> None:
    """And a look further: its last lines may come after its end."""
    texts = ["a", "ab", "abc", "abcd", "abcd"]
    states = ["PENDING", "RUNNING", "SUCCEEDED"]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        of_logs = handler.path.endswith("/logs")
        said = {"logs": texts.pop(0)} if of_logs else {**JOB, "status": states.pop(0)}
        body = json.dumps(said).encode()
        handler.send_response(200)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    head.answer = answer
    assert list(jobs.follow("a", seconds=0)) == ["a", "b", "c", "d"]
    assert not texts


def test_a_strangers_text_stays_on_its_line() -> None:
    assert printable("a\x1b]0;title\x07\r\nb") == "a ]0;title   b"
    assert len(printable("x" * 10_000)) == 301

"""What one address may ask, and what no question may be."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from unittest.mock import ANY

from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from keeper.api.limits import MAX_TARGET, Limited, Limits
from keeper.budgets import Rate

Headers = Sequence[tuple[str, str]]
LIMITS = Limits(questions=Rate(3, 1), proofs=Rate(1, 0.5))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Visitor:
    """Asks a limited application as one address."""

    def __init__(self, app: Limited, address: str) -> None:
        self.app, self.address = app, address

    async def status(
        self, path: str = "/api/v1/network", query: bytes = b"", headers: Mapping[str, str] | Headers = ()
    ) -> tuple[int, Mapping[bytes, bytes]]:
        """The answer's status and headers."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        given = headers.items() if isinstance(headers, Mapping) else headers
        told = [(name.encode(), value.encode()) for name, value in given]
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
        }
        await self.app({**scope, "headers": told, "client": (self.address, 1)}, receive, send)
        return sent[0]["status"], dict(sent[0]["headers"])


def limited(clock: Clock) -> Limited:
    return Limited(PlainTextResponse("an answer"), LIMITS, clock)


async def test_an_address_has_a_budget() -> None:
    clock = Clock()
    app = limited(clock)
    one, other = Visitor(app, "192.0.2.1"), Visitor(app, "192.0.2.2")
    assert [(await one.status())[0] for _ in range(5)] == [200, 200, 200, 429, 429]
    status, headers = await one.status()
    assert (status, headers[b"retry-after"]) == (429, b"1")
    assert (await other.status())[0] == 200
    clock.now += 1
    assert [(await one.status())[0] for _ in range(2)] == [200, 429]


async def test_proofs_have_a_smaller_one() -> None:
    clock = Clock()
    one = Visitor(limited(clock), "192.0.2.1")
    assert [(await one.status("/api/v1/blocks/1/proof/x"))[0] for _ in range(2)] == [200, 429]
    assert (await one.status())[0] == 200


async def test_a_pages_own_files_cost_nothing() -> None:
    """However slow the machine is: a page without its scripts would be none."""
    clock = Clock()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        clock.now += 5
        await PlainTextResponse("a file")(scope, receive, send)

    one = Visitor(Limited(slow, LIMITS, clock), "192.0.2.1")
    for path in ("/static/a.js", "/style-1.css"):
        assert [(await one.status(path))[0] for _ in range(20)] == [200] * 20
    clock.now += 100
    assert [(await one.status())[0] for _ in range(2)] == [200, 429]


async def test_whom_a_proxy_on_this_machine_names() -> None:
    """A stranger can't name somebody: the proxy's own word is the last one."""
    app = limited(Clock())
    proxy = Visitor(app, "127.0.0.1")
    named = {"x-forwarded-for": "203.0.113.9, 192.0.2.7"}
    assert [(await proxy.status(headers=named))[0] for _ in range(4)] == [200, 200, 200, 429]
    assert (await Visitor(app, "192.0.2.7").status())[0] == 429
    stranger = Visitor(app, "198.51.100.1")
    asked = [(await stranger.status(headers={"x-forwarded-for": f"192.0.2.{n}"}))[0] for n in range(4)]
    assert asked == [200, 200, 200, 429]


async def test_a_proxy_may_add_a_header_of_its_own() -> None:
    """Its word is then the last header's, after whatever a stranger sent."""
    app = limited(Clock())
    told = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "192.0.2.7")]
    assert [(await Visitor(app, "127.0.0.1").status(headers=told))[0] for _ in range(4)] == [
        *[200] * 3,
        429,
    ]
    assert (await Visitor(app, "203.0.113.9").status())[0] == 200


async def test_a_proxy_may_name_a_port_too() -> None:
    """Each connection has another one: it is the address that has a budget."""
    app = limited(Clock())
    proxy = Visitor(app, "127.0.0.1")
    for form in ("192.0.2.7:{}", "[2001:db8::7]:{}"):
        told = [{"x-forwarded-for": form.format(port)} for port in range(50_001, 50_005)]
        assert [(await proxy.status(headers=each))[0] for each in told] == [200, 200, 200, 429], form
    assert (await proxy.status(headers={"x-forwarded-for": "192.0.2.7"}))[0] == 429


async def test_what_took_long_is_charged_for() -> None:
    """Two seconds cost as much as two more questions, and an address may owe no more than it may have."""
    clock, takes = Clock(), [2.0, 100.0, 0.01, 0.01]

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        clock.now += takes.pop(0)
        await PlainTextResponse("an answer")(scope, receive, send)

    app = Limited(slow, replace(LIMITS, free_seconds=0.0), clock)
    one = Visitor(app, "192.0.2.1")
    assert (await one.status())[0] == 200
    assert (await one.status())[0] == 200
    assert await one.status() == (429, ANY)
    clock.now += 3.5
    assert (await one.status())[0] == 429
    clock.now += 0.5
    assert (await one.status())[0] == 200


async def test_an_address_is_answered_so_many_at_a_time() -> None:
    ready = asyncio.Event()

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        await ready.wait()
        await PlainTextResponse("an answer")(scope, receive, send)

    app = Limited(waiting, replace(LIMITS, questions=Rate(9, 9), together=2), Clock())
    one = Visitor(app, "192.0.2.1")
    asked = [asyncio.create_task(one.status()) for _ in range(3)]
    assert (await asked[2])[0] == 429
    ready.set()
    assert [(await each)[0] for each in asked[:2]] == [200, 200]
    assert (await one.status())[0] == 200


async def test_few_of_an_address_listen_and_it_is_answered_beside_them() -> None:
    ended = asyncio.Event()

    async def live(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].endswith("/stream"):
            await ended.wait()
        await PlainTextResponse("an answer")(scope, receive, send)

    app = Limited(live, replace(LIMITS, questions=Rate(99, 9), streams=2), Clock())
    one, other = Visitor(app, "192.0.2.1"), Visitor(app, "192.0.2.2")
    listening = [asyncio.create_task(each.status("/api/v1/stream")) for each in (one, one, other)]
    await asyncio.sleep(0)
    assert (await one.status("/api/v1/stream"))[0] == 429
    assert (await one.status())[0] == 200
    ended.set()
    assert [(await each)[0] for each in listening] == [200] * 3
    assert (await one.status("/api/v1/stream"))[0] == 200


async def test_a_network_of_ipv6_is_one_visitor() -> None:
    app = limited(Clock())
    asked = [(await Visitor(app, f"2001:db8::{n}").status())[0] for n in range(4)]
    assert asked == [200, 200, 200, 429]
    assert (await Visitor(app, "2001:db8:0:1::1").status())[0] == 200


async def test_visitors_of_ipv4_that_a_proxy_names_in_ipv6_are_each_one() -> None:
    app = limited(Clock())
    asked = [(await Visitor(app, "::ffff:192.0.2.1").status())[0] for _ in range(4)]
    assert asked == [200, 200, 200, 429]
    assert (await Visitor(app, "::ffff:192.0.2.2").status())[0] == 200
    # It is the one that other proxies name in four numbers.
    assert (await Visitor(app, "192.0.2.1").status())[0] == 429


async def test_a_question_that_is_too_long_is_not_read() -> None:
    one = Visitor(limited(Clock()), "192.0.2.1")
    assert (await one.status(query=b"a" * MAX_TARGET))[0] == 414
    assert (await one.status(query=b"a" * 100))[0] == 200


async def test_a_person_is_refused_in_words_and_a_program_as_the_rfc_says() -> None:
    """Who asks for pages, and not for the API."""
    limits = replace(LIMITS, questions=Rate(0, 1))
    told = PlainTextResponse("words", 429)
    app = Limited(PlainTextResponse("an answer"), limits, Clock(), lambda status, detail, headers: told)
    browser = {"accept": "text/html,application/xhtml+xml"}
    for path, headers, kind in (
        ("/devices", browser, b"text/plain; charset=utf-8"),
        ("/api/v1/devices", browser, b"application/problem+json"),
        ("/devices", {}, b"application/problem+json"),
    ):
        status, found = await Visitor(app, "10.0.0.1").status(path, headers=headers)
        assert (status, found[b"content-type"]) == (429, kind)

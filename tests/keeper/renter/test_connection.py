"""A renter's connection over real boards, a relay and WireGuard, to heads that say who they are."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest

from keeper.compute import direct, runtime
from keeper.compute.bodies import Key
from keeper.compute.carrier import Carrier
from keeper.compute.node import JOBS
from keeper.renter import connection as module
from keeper.renter.connection import ClusterEnded, Connection, NotTheRenter
from keeper.renter.door import Status, ask_status, open_way
from keeper.renter.place import ConnectedAlready, NotConnected, Place
from tests.keeper.compute.sandboxing import require
from tests.keeper.renter.hired import LOG, Device, Hired, devices, hired
from tests.programs.world import key


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    require()
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(module, "SOON_SECONDS", 0.2)


@asynccontextmanager
async def answering(device: Device) -> AsyncIterator[None]:
    """At a device's port for jobs, somebody who says which one it is, and then what it hears."""
    made = await device.overlay._spaces.socket("tcp")
    made.bind((str(device.address), JOBS))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(device.name.encode() + b"\n")
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async with await asyncio.start_server(serve, sock=made):
        yield


class Renter:
    """A connection, and what it told."""

    def __init__(self, here: Hired, place: Place, signer=None) -> None:
        self.place, self.told = place, list[Status]()
        self._boards = here.boards()
        given = (place, here.world.chain, self._boards, signer or here.renter, LOG, {9_000: 0})
        self.connection = Connection(*given, self.told.append)
        self.task = asyncio.create_task(self.connection.run())

    async def until(self, holds: Callable[[Status], bool]) -> Status:
        async with asyncio.timeout(600):
            while not holds(self.connection.status):
                assert not self.task.done(), self.task
                await asyncio.sleep(0.05)
        return self.connection.status

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self._boards.close()


async def heard(port: int, said: bytes = b"") -> bytes:
    """What comes from a forwarded port: who it is, and an echo."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    writer.write_eof()
    found = await reader.read(-1)
    writer.close()
    return found


def by_address(here: Hired, address: str) -> Device:
    return next(each for each in here.devices.values() if str(each.address) == address)


async def test_it_follows_another_head_and_makes_another_network_when_one_ends(tmp_path: Path) -> None:
    async with hired(tmp_path) as here, devices(here, "one", "two"):
        place = Place(here.order.address, tmp_path / "clusters")
        async with answering(here.devices["one"]), answering(here.devices["two"]):
            renter = Renter(here, place)
            first = await renter.until(lambda status: status.connected)
            head, token = by_address(here, first.head), here.token.hex()
            assert (place.token(), place.token_file.stat().st_mode & 0o777) == (token, 0o600)
            big = os.urandom(300_000)
            assert await heard(first.ports[JOBS], big) == head.name.encode() + b"\n" + big

            # By the door, any member and nobody else.
            assert await asyncio.to_thread(ask_status, place) == first
            other = next(each for each in here.devices.values() if each is not head)
            with await asyncio.to_thread(open_way, place, other.address, JOBS) as way:
                assert await asyncio.to_thread(way.recv, 100) == other.name.encode() + b"\n"
            with pytest.raises(NotConnected, match=r"no way to 10\.9\.9\.9"):
                await asyncio.to_thread(open_way, place, IPv4Address("10.9.9.9"), JOBS)
            with pytest.raises(NotConnected, match="can't be reached"):
                await asyncio.to_thread(open_way, place, other.address, 4_444)
            assert await heard(first.ports[9_000]) == b"", "nobody listens there"

            # Its network ends, whatever ended it: there is another one, on the same port.
            os.kill(renter.connection._overlay._spaces.processes()[0], signal.SIGKILL)
            await renter.until(lambda status: not status.connected)
            await renter.until(lambda status: status.connected)
            assert (await heard(first.ports[JOBS])).split() == [head.name.encode()]

            # The head's lease ends: the other one is the head, with another token.
            here.token = bytes(32)
            assert here.world.end(here.order, head.name, here.renter).error is None
            await here.offices[0].refresh()
            second = await renter.until(lambda status: status.connected and status.epoch != first.epoch)
            assert (second.head, place.token()) == (str(other.address), "00" * 32)
            assert second.ports == first.ports
            assert (await heard(first.ports[JOBS])).split() == [other.name.encode()]
            states = [(each.epoch, each.connected) for each in renter.told]
            assert (second.epoch, False) in states, "in between it was told that there is no head"

            # The last one's ends: so does the connection, and the token with it.
            assert here.world.end(here.order, other.name, here.renter).error is None
            with pytest.raises(ClusterEnded, match="takes none any more"):
                await renter.task
            await renter.end()
            assert [each.name for each in place.folder.iterdir() if each.name not in ("key", "lock")] == []


async def test_whose_key_a_device_copies_has_another_one_and_is_connected_again(tmp_path: Path) -> None:
    """The device comes first in the list: to all others the key, and so the way to it, is the device's."""
    async with hired(tmp_path) as here:
        boards = here.boards()
        found = (await here.look(boards)).members
        names = {here.world.lease(here.order, name).device: name for name in ("one", "two")}
        head, thief = (names[each.device] for each in found.nodes)
        place = Place(here.order.address, tmp_path / "clusters")
        async with devices(here, head), answering(here.devices[head]):
            renter = Renter(here, place)
            first = await renter.until(lambda status: status.connected)
            before = bytes(place.key().public_key)
            number = here.world.lease(here.order, thief).number
            copy = Key(before, number, runtime.identity(), (), 0)
            await boards.say(here.order.address, 0, copy, key(thief))
            await renter.until(lambda status: bytes(place.key().public_key) != before)
            assert not renter.connection.status.connected
            second = await renter.until(lambda status: status.connected)
            assert second.ports == first.ports
            assert (await heard(first.ports[JOBS])).split() == [head.encode()]
            assert any("posted a copy of your key" in each.why for each in renter.told)
            said = [
                each.body for each in (await here.look(boards)).said if each.sender == here.renter.pubkey()
            ]
            keys = [(each.number, each.public) for each in said if isinstance(each, Key)]
            assert sorted(keys) == [(0, before), (1, bytes(place.key().public_key))]
            await renter.end()
        await boards.close()


async def test_who_is_not_the_renter_or_comes_second_is_told(tmp_path: Path) -> None:
    async with hired(tmp_path) as here:
        place = Place(here.order.address, tmp_path / "clusters")
        stranger = Renter(here, place, key("stranger"))
        with pytest.raises(NotTheRenter, match="sign with their key"):
            await stranger.task
        await stranger.end()
        first = Renter(here, place)
        await first.until(lambda status: status.why != "")
        second = Renter(here, place)
        with pytest.raises(ConnectedAlready):
            await second.task
        await second.end()
        await first.end()
        assert not (place.folder / "door").exists()


async def test_a_device_that_says_where_it_is_reached_needs_no_relay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relays lose all that goes by them, and what WireGuard has goes straight to the device."""
    monkeypatch.setattr(direct, "reachable", lambda addresses, own: [ip_address(each) for each in addresses])
    monkeypatch.setattr(Carrier, "send", lambda self, other, datagram: None)
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(hired(tmp_path))
        await stack.enter_async_context(devices(here, "one", "two"))
        for each in here.devices.values():
            await stack.enter_async_context(answering(each))
        renter = Renter(here, Place(here.order.address, tmp_path / "clusters"))
        found = await renter.until(lambda status: status.connected)
        big = os.urandom(300_000)
        head = by_address(here, found.head)
        assert await heard(found.ports[JOBS], big) == head.name.encode() + b"\n" + big
        await renter.end()

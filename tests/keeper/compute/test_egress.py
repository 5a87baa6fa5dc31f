"""Where a renter's code may be let out to: names as they were asked for, and public addresses alone."""

from __future__ import annotations

import pytest

from keeper.compute.egress import allows, is_name, networks, reachable, require_allowed

LIST = ("pypi.org", "*.hub.example")


@pytest.mark.parametrize("name", ["pypi.org", "files.hub.example", "a.b.hub.example"])
def test_a_name_on_the_list_is_allowed(name: str) -> None:
    assert allows(LIST, name)


@pytest.mark.parametrize(
    "name",
    [
        "www.pypi.org",
        "pypi.org.evil.example",
        "xpypi.org",
        "pypi.or",
        "org",
        "hub.example",
        "evilhub.example",
        ".hub.example",
        "..hub.example",
        "-.hub.example",
        "a_b.hub.example",
        "*.hub.example",
        "",
    ],
)
def test_any_other_is_not(name: str) -> None:
    assert not allows(LIST, name)


@pytest.mark.parametrize(
    "name",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "1.2.3.0x4",
        "[::1]",
        "::1",
        "localhost",
        "pypi.org.",
        "PyPI.org",
        "pypi..org",
        "pyp\u0456.org",
        "pypi.org%00",
        "a@pypi.org",
        "pypi.org/",
        f"{'a' * 64}.org",
        f"{'a.' * 130}org",
    ],
)
def test_what_is_no_hosts_name(name: str) -> None:
    assert not is_name(name)


PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001:80e::200e"]
REFUSED = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.254",
    "192.0.0.8",
    "192.0.2.7",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:93.184.216.34",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2606:4700::1111%eth0/64",
    "pypi.org",
    "0x7f000001",
    "127.1",
    "",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_reached(address: str) -> None:
    assert [str(each) for each in reachable([address], [])] == [address]


@pytest.mark.parametrize("address", REFUSED)
def test_any_other_address_never_is(address: str) -> None:
    assert reachable([address], []) == []


def test_of_a_names_addresses_the_good_ones_are_left_each_once() -> None:
    found = reachable(["10.0.0.1", *PUBLIC, "::1", PUBLIC[0]], [])
    assert [str(each) for each in found] == PUBLIC


def test_nobody_on_the_machines_own_networks_is_reached() -> None:
    """Public addresses, too: such as the next machines' in a data centre, or of a home with IPv6."""
    own = networks(
        [
            ("93.184.216.7", "255.255.255.0"),
            ("2606:4700::7", "ffff:ffff:ffff:ffff::"),
            ("1.1.1.1", None),
            ("fe80::7%eth0", "ffff:ffff:ffff:ffff::"),
            ("10.8.0.1", "0.0.0.0"),
            ("nothing", "255.0.0.0"),
        ]
    )
    told = ["93.184.216.0/24", "2606:4700::/64", "1.1.1.1/32", "fe80::/64", "10.8.0.1/32"]
    assert [str(each) for each in own] == told
    assert [str(each) for each in reachable(PUBLIC, own)] == ["2a00:1450:4001:80e::200e"]
    assert [str(each) for each in reachable(["93.184.217.1", "1.1.1.2"], own)] == ["93.184.217.1", "1.1.1.2"]


@pytest.mark.parametrize(
    "name",
    [
        "PyPI.org",
        "pypi.org:443",
        "https://pypi.org",
        "*",
        "*.org",
        "*.*.org",
        "a.*.org",
        "10.0.0.1",
        "",
        "pypi",
    ],
)
def test_a_list_of_something_else_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"is no host's name in small letters: write it like pypi.org"):
        require_allowed(["pypi.org", name])


def test_a_list_has_an_end() -> None:
    require_allowed([f"a{n}.example" for n in range(64)])
    with pytest.raises(ValueError, match="64 names at most, not 65"):
        require_allowed([f"a{n}.example" for n in range(65)])

"""The compiled readers: the same values as construct's, for every type they take; none for others."""

import struct

import pytest
from solders.pubkey import Pubkey

from keeper.chain import types
from keeper.chain.fixed import reader

KEY = Pubkey(b"\x07" * 32)
DEFINITIONS = {
    "Pair": {
        "name": "Pair",
        "type": {
            "kind": "struct",
            "fields": [{"name": "who", "type": "pubkey"}, {"name": "n", "type": "u16"}],
        },
    },
    "Side": {"name": "Side", "type": {"kind": "enum", "variants": [{"name": "Left"}, {"name": "Right"}]}},
}
PAIR, SIDE = ({"defined": {"name": name}} for name in DEFINITIONS)
VALUES = {
    "bool": True,
    **{f"u{bits}": 2**bits - 1 for bits in (8, 16, 32, 64, 128)},
    **{f"i{bits}": -(2 ** (bits - 1)) for bits in (8, 16, 32, 64, 128)},
    "pubkey": KEY,
}
TYPES = [
    *VALUES.items(),
    ({"array": ["u8", 5]}, b"hello"),
    ({"array": ["u64", 3]}, [1, 2**64 - 1, 3]),
    ({"array": ["pubkey", 2]}, [KEY, Pubkey.default()]),
    ({"array": [{"array": ["u8", 2]}, 2]}, [b"ab", b"cd"]),
    (PAIR, {"who": KEY, "n": 9}),
    ({"array": [PAIR, 2]}, [{"who": KEY, "n": 1}, {"who": KEY, "n": 2}]),
    (SIDE, "Right"),
]


@pytest.mark.parametrize(("kind", "value"), TYPES, ids=[str(kind) for kind, _ in TYPES])
def test_reads_what_construct_reads(kind, value):
    fields = [{"name": "before", "type": "u8"}, {"name": "it", "type": kind}, {"name": "after", "type": "u8"}]
    form = types.struct(fields, DEFINITIONS)
    data = form.build({"before": 1, "it": value, "after": 2})
    read = reader(fields, DEFINITIONS)
    assert read is not None
    assert read(data, 0) == {"before": 1, "it": value, "after": 2} == types.plain(form.parse(data))
    assert read(b"other" + data + b"more", 5) == read(data, 0)
    with pytest.raises(struct.error):
        read(data[:-1], 0)


def test_an_unknown_variant_is_its_number():
    read = reader([{"name": "side", "type": SIDE}], DEFINITIONS)
    assert read is not None
    assert read(b"\x05", 0) == {"side": 5}
    assert types.plain(types.layout(SIDE, DEFINITIONS).parse(b"\x05")) == 5


@pytest.mark.parametrize(
    "kind", ["bytes", "string", {"vec": "u8"}, {"option": "u8"}, {"array": ["string", 2]}]
)
def test_none_for_what_has_no_fixed_size(kind):
    assert reader([{"name": "it", "type": kind}], DEFINITIONS) is None

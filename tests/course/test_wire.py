"""The channel between judge and student: what travels arrives as it was, the rest is refused."""

import collections
import contextlib
import enum
import json
import math
import socket
import struct
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from wire_values import DTYPES, arrays, only_data, same, values

from tinytorch.core.tensor import Tensor
from tinytorch.course import wire
from tinytorch.course.wire import Decoder, Encoder, WireError

HEADER = struct.Struct(">IIQ")
MAGIC = 0x54695931


def through(message, blobs=()):
    """A message as it arrives at the other end."""
    mine, theirs = socket.socketpair()

    def send():
        with contextlib.suppress(OSError), mine:
            wire.send(mine, message, blobs)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        return wire.receive(theirs)
    finally:
        theirs.close()
        sender.join()


def across(value, layouts=False, other=(None, None)):
    """A value as it arrives at the other end, as an argument or as a result."""
    encoder = Encoder(other[0], layouts)
    message, blobs = through({"value": encoder.encode(value)}, encoder.blobs)
    return Decoder(blobs, other[1], layouts).decode(message["value"])


def decoded(tree, *blobs, layouts=False):
    return Decoder([memoryview(b) for b in blobs], None, layouts).decode(tree)


# What travels


@settings(max_examples=150)
@given(values)
def test_every_value_arrives_as_it_was(value):
    for layouts in (False, True):
        got = across(value, layouts)
        assert same(got, value) and only_data(got)


@settings(max_examples=100)
@given(arrays())
def test_arguments_keep_their_layout_and_their_writability(array):
    got = across(array, layouts=True)
    assert same(got, array) and got.flags.writeable == array.flags.writeable
    for length, mine, theirs in zip(array.shape, array.strides, got.strides, strict=True):
        assert mine == theirs or length == 1 or not array.size


@settings(max_examples=50)
@given(arrays())
def test_results_are_row_by_row_and_in_memory_of_their_own(array):
    got = across(array)
    assert same(got, array) and got.flags.c_contiguous and got.flags.writeable
    assert got.flags.owndata or got.base.flags.owndata


@pytest.mark.parametrize(
    "value",
    [True, False, 1, 0, 1.0, 0.0, -0.0, None, np.True_, np.int64(1), np.float32(1), np.float16(0.1),
     np.complex64(1j), 2**53 - 1, 2**53, -(2**53), 2**63, -(7**4000), math.inf, -math.inf, math.nan,
     1e308, 5e-324, 1j, complex(math.nan, -math.inf), "", "1", b"1", [], (), {}, set(), frozenset(),
     {1: 2}, {"1": 2}, {(1, frozenset({2})): [3]}, range(0), range(5, -5, -2), slice(None), ...],
    ids=repr,
)  # fmt: skip
def test_nothing_becomes_what_it_only_equals(value):
    assert same(across(value), value)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_arrays_of_every_dtype_arrive(dtype):
    for array in (np.ones((2, 3), dtype), np.ones((), dtype), np.ones((0, 4), dtype)):
        assert same(across(array), array) and same(across(array, layouts=True), array)


@pytest.mark.parametrize("bits", [0x7FC00000, 0xFFC00000, 0x7F800001, 0x80000000], ids=hex)
def test_floats_arrive_bit_by_bit(bits):
    array = np.array([bits], np.uint32).view(np.float32)
    assert across(array).view(np.uint32)[0] == bits


def test_subclasses_arrive_as_what_they_are_made_of():
    class Level(enum.IntEnum):
        HIGH = 3

    class Text(str):
        def __eq__(self, other):
            return True

        __hash__ = str.__hash__

    class Matrix(np.ndarray):
        pass

    class Numbers(list):
        def __iter__(self):
            return iter([0])

    pair = collections.namedtuple("pair", "a b")
    for value, plain in (
        (Level.HIGH, 3),
        (Text("x"), "x"),
        (np.arange(3).view(Matrix), np.arange(3)),
        (Numbers([1, 2]), [1, 2]),
        (pair(1, 2), (1, 2)),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (bytearray(b"ab"), bytearray(b"ab")),
        (np.bool_(True), np.True_),
    ):
        assert same(across(value), plain)


def test_half_a_character_is_replaced():
    assert across("a\ud800b") == "a?b"


def test_a_bool_array_holds_nothing_but_zero_and_one():
    odd = np.frombuffer(bytes(range(4)), np.bool_)
    assert across(odd).view(np.uint8).tolist() == [0, 1, 1, 1]
    assert decoded(["n", "|b1", "07"]).tobytes() == b"\x01"


def test_the_same_argument_twice_is_one_there():
    array, values = np.arange(3.0), [1]
    first, second, tensor, third, fourth = across(
        [array, array, Tensor(array), values, values], layouts=True
    )
    assert first is second and tensor.data is first and third is fourth


def test_equal_results_are_not_one():
    array = np.arange(3.0)
    first, second = across([array, array])
    assert first is not second and not np.shares_memory(first, second)


def test_others_are_asked_for_what_is_no_data():
    def named(value, encoder):
        return ["named", value.__name__, encoder.encode([1])] if callable(value) else None

    def made(tag, rest, decoder):
        assert tag == "named"
        return rest[0], decoder.decode(rest[1])

    assert across([len], other=(named, made)) == [("len", [1])]
    with pytest.raises(WireError, match="no part 'named'"):
        across([len], other=(named, None))


# What does not


class Opaque:
    pass


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


itself: list = []
itself.append(itself)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (object(), "object is no data"),
        (Opaque(), "Opaque is no data"),
        (len, "is no data"),
        ((n for n in ()), "generator is no data"),
        (np, "module is no data"),
        (int, "type is no data"),
        (np.array([None]), "dtype object"),
        (np.zeros(2, ">f4"), "dtype >f4"),
        (np.zeros(2, "M8[s]"), "dtype datetime64"),
        (np.zeros(2, [("a", "f4")]), "cannot be handed over"),
        (np.array(["a"]), "dtype <U1"),
        (np.longdouble(1), "cannot be handed over"),
        (np.dtype(object), "cannot be handed over"),
        (deep(51), "nested too deeply"),
        (itself, "nested too deeply"),
        ([0] * 300_001, "too many parts"),
        (1 << (1 << 14), "larger than allowed"),
        (range(10**18), "larger than allowed"),
        (range(0, -(10**30), -1), "larger than allowed"),
        (np.broadcast_to(np.float64(1), (30_000_000,)), "larger than allowed"),
        ({1: {2: object()}}, "object is no data"),
    ],
    ids=lambda value: value if type(value) is str else "",
)
def test_what_is_no_data_or_too_much_is_refused_by_its_sender(value, said):
    for layouts in (False, True):
        with pytest.raises(WireError, match=said):
            Encoder(layouts=layouts).encode(value)


def test_an_argument_that_spans_too_much_memory_is_refused():
    wide = np.lib.stride_tricks.as_strided(np.zeros(1), (2, 2), (1 << 40, 8))
    with pytest.raises(WireError, match="spans"):
        Encoder(layouts=True).encode(wide)


@pytest.mark.parametrize(
    "value",
    [deep(49), [0] * 299_999, (1 << (1 << 14)) - 1, range(10**30, 10**30 + 300_000)],
    ids=["deep", "many", "long", "range"],
)
def test_up_to_the_limits_it_travels(value):
    assert across(value) == value


def test_a_message_that_nobody_would_read_is_not_sent():
    mine, theirs = socket.socketpair()
    with mine, theirs:
        with pytest.raises(WireError, match="larger than allowed"):
            wire.send(mine, {"text": "x" * wire.MOST_JSON}, [])
        with pytest.raises(WireError, match="larger than allowed"):
            half = memoryview(bytearray(wire.MOST_MEMORY // 2 + 1))
            wire.send(mine, {}, [half, half])
        mine.shutdown(socket.SHUT_WR)
        assert theirs.recv(1) == b""


# Frames


def received(frame):
    """What is read where these bytes come, and no more."""
    mine, theirs = socket.socketpair()

    def send():
        with contextlib.suppress(OSError), mine:
            mine.sendall(frame)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        return wire.receive(theirs)
    finally:
        theirs.close()
        sender.join()


def frame(text=b'{"blobs": []}', body=b"", magic=MAGIC, length=None, memory=None):
    sizes = len(text) if length is None else length, len(body) if memory is None else memory
    return HEADER.pack(magic, *sizes) + text + body


def test_a_frame_is_what_this_file_takes_it_for():
    message, blobs = received(frame(b'{"a": 1, "blobs": [1, 0, 2], "size": 0}', b"xyz"))
    assert message == {"a": 1, "size": 8 * 39 + 3} and [*map(bytes, blobs)] == [b"x", b"", b"yz"]


@pytest.mark.parametrize(
    "wrong",
    [
        frame(magic=0),
        frame(length=wire.MOST_JSON + 1),
        frame(memory=wire.MOST_MEMORY + 1),
        frame(memory=2**64 - 1),
        frame(length=2**32 - 1),
        frame(b""),
        frame(b"{"),
        frame(b"null"),
        frame(b"[]"),
        frame(b"1"),
        frame(b'{"a": "\xff\xfe", "blobs": []}'),
        frame(b'{"a": ' + b"9" * 5_000 + b', "blobs": []}'),
        frame(b"[" * 100_000),
        frame(b'{"a": ' + b'{"a": ' * 100_000),
        frame(b"{}"),
        frame(b'{"blobs": null}'),
        frame(b'{"blobs": {}}'),
        frame(b'{"blobs": [1.0]}', b"x"),
        frame(b'{"blobs": [true]}', b"x"),
        frame(b'{"blobs": ["1"]}', b"x"),
        frame(b'{"blobs": [2, -1]}', b"x"),
        frame(b'{"blobs": [2]}', b"x"),
        frame(b'{"blobs": []}', b"x"),
        frame(b'{"blobs": [' + b"0," * 300_000 + b"0]}"),
    ],
    ids=lambda wrong: repr(wrong[16:44]),
)
def test_what_is_no_frame_is_refused(wrong):
    with pytest.raises(WireError):
        received(wrong)


@pytest.mark.parametrize("cut", [0, 3, 15, 16, 20, 28, 30])
def test_half_a_frame_is_the_others_end(cut):
    whole = frame(b'{"blobs": [3]}', b"xyz")
    assert len(whole) > cut
    with pytest.raises(EOFError):
        received(whole[:cut])


def test_a_frame_follows_another():
    mine, theirs = socket.socketpair()
    with mine, theirs:
        for n in range(3):
            wire.send(mine, {"n": n}, [bytes([n]) * n])
        for n in range(3):
            message, blobs = wire.receive(theirs)
            assert message["n"] == n and [*map(bytes, blobs)] == [bytes([n]) * n]


def test_a_frame_larger_than_any_buffer_arrives():
    array = np.arange(3_000_000.0)
    assert same(across(array), array)


def test_a_length_alone_reserves_little():
    tracemalloc.start()
    try:
        with pytest.raises(EOFError):
            received(frame(memory=wire.MOST_MEMORY))
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


# Trees that lie


@pytest.mark.parametrize(
    "tree",
    [
        [], [1], [None, 1], {}, {"a": 1}, ["?"], ["thing", 1, "x"], ["function", 1], [["l"]],
        ["i"], ["i", 1], ["i", "x"], ["i", "0x" + "f" * 5_000], ["i", None],
        ["f", "1"], ["f", []], ["f"], ["c", "x", 1], ["c", ["l"], 1], ["c", 10**400, 1],
        ["s", ["l"]], ["s", ["d"]], ["z", ["s"]], ["s", ["a", 0, "<f8", [1]]],
        ["d", 1], ["d", [1]], ["d", [1, 2, 3]], ["d", [["l"], 1]], ["d", "ab"], ["d", {"a": 1}],
        ["b"], ["b", 9], ["b", -1], ["b", "0"], ["b", 0.0], ["b", True], ["B", 9],
        ["r", 1, 2], ["r", 1, 2, 0], ["r", 1.0, 2, 3], ["r", True, 2, 1], ["r", 0, 10**12, 1],
        ["x", 1, 2, 3, 4], ["y", "O"], ["y", ">f4"], ["y", []], ["y"], ["y", "float32"],
        ["g", 0], ["g", -1], ["g", True], ["g"],
        ["a", 0, "<f8", [2]], ["a", 0, "<f4", [1]], ["a", 0, "<f8", []][:3], ["a", 0, "<f8", [-1]],
        ["a", 0, "<f8", [-1, -1]], ["a", 0, "<f8", [1.0]], ["a", 0, "<f8", [True]],
        ["a", 0, "<f8", 1], ["a", 0, "<f8", [1] * 33], ["a", 0, "O", [1]], ["a", 0, "|O", [1]],
        ["a", 0, "|V8", [1]], ["a", 0, "<M8[s]", [1]], ["a", 0, ["<f8"], [1]], ["a", 1, "<f8", [1]],
        ["a", None, "<f8", [1]], ["a", 0, "<f8", [1], 1], ["a", 0, "<f8", [2**61]],
        ["a", 2, "<f8", [2**39, 0]], ["a", 2, "<f8", [0, 10**30]],
        ["v", 0, "<f8", [1], "C", True], ["v", 0, "<f8", [1], [0, [8]], True],
        ["n", "<f8", "00"], ["n", "<f8", "zz"], ["n", "O", "00"], ["n", "<f8", 0], ["n", "<f8"],
        ["n", "<f4", "00" * 8], ["n", ["<f8"], "00"],
        ["T"], ["T", 1], ["T", None], ["T", ["l"]], ["T", ["T", ["a", 0, "<f8", [1]]]],
        ["T", ["a", 0, "<f8", [1]], 1],
        ["S"], ["S", ["t", 1, 1]], ["S", ["l", 1, 1], 1, 2, 3], ["S", ["t", 1, 1], 1, 2, 3],
        ["S", ["t", 1.0, 1], *[["a", n, "<f8", [0]] for n in (2, 3, 4)]],
        ["l", ["l", ["l", ["?"]]]],
    ],
    ids=lambda tree: json.dumps(tree)[:40],
)  # fmt: skip
def test_a_malformed_tree_is_refused(tree):
    with pytest.raises(WireError):
        decoded(tree, b"\0" * 8, b"", b"", b"", b"")


@pytest.mark.parametrize(
    "rest",
    [
        [0, "<f8", [2], "C", True],
        [0, "<f8", [1], "K", True],
        [0, "<f8", [1], None, True],
        [0, "<f8", [1], [0], True],
        [0, "<f8", [1], [0, [8, 8]], True],
        [0, "<f8", [1], [1, [8]], True],
        [0, "<f8", [2], [0, [8]], True],
        [0, "<f8", [2], [0, [-8]], True],
        [0, "<f8", [1], [-8, [8]], True],
        [0, "<f8", [1], "C"],
        [0, "<f8", [1], "C", True, 1],
    ],
    ids=str,
)
def test_a_layout_beyond_the_memory_is_refused(rest):
    with pytest.raises(WireError):
        decoded(["v", *rest], b"\0" * 8, layouts=True)


def test_too_deep_and_too_many_parts_are_refused():
    tree = ["l"]
    for _ in range(60):
        tree = ["l", tree]
    with pytest.raises(WireError, match="nested too deeply"):
        decoded(tree)
    with pytest.raises(WireError, match="too many parts"):
        decoded(["l", *[0] * 300_000])


def test_the_parts_of_all_values_of_a_frame_are_counted():
    decoder = Decoder([])
    decoder.decode(["l", *[0] * 200_000])
    with pytest.raises(WireError, match="too many parts"):
        decoder.decode(["l", *[0] * 200_000])


def test_memory_is_taken_once():
    one = ["a", 0, "<f8", [1]]
    assert decoded(["l", one], b"\0" * 8)[0].tolist() == [0]
    for tree in (["l", one, one], ["l", one, ["b", 0]], ["t", ["b", 0], ["B", 0]]):
        with pytest.raises(WireError, match="same memory"):
            decoded(tree, b"\0" * 8)


PRIME = (1 << 61) - 1  # whole numbers that differ by it have one hash
ALIKE = [["i", hex(n * PRIME)] for n in range(1, 2_000)]
ALIKE_FLOATS = [["c", n * 1000003.0, -float(n)] for n in range(1, 2_000)]


@pytest.mark.parametrize(
    "tree",
    [
        ["s", *ALIKE],
        ["z", *ALIKE],
        ["d", *([key, 0] for key in ALIKE)],
        ["l", *(["s", *ALIKE[n : n + 10]] for n in range(0, 2_000, 10))],
        ["s", *ALIKE_FLOATS],
        ["s", *(["t", 1, key] for key in ALIKE)],
        ["s", *[0] * 200],
    ],
    ids=["set", "frozenset", "dict", "many sets", "complex", "tuples", "equal"],
)
def test_keys_that_have_to_be_compared_with_each_other_are_few(tree):
    with pytest.raises(WireError, match="same hash"):
        decoded(tree)


def test_as_many_keys_as_anybody_has_are_no_trouble():
    assert len(across(set(range(-50_000, 50_000)))) == 100_000
    assert len(across({str(n): n for n in range(70_000)})) == 70_000
    assert len(decoded(["s", *ALIKE[:50]])) == 50


def test_what_was_given_goes_back_as_itself():
    array, tensor, values = np.arange(3), Tensor(np.ones(2)), [1]
    given = [array, tensor, values]
    encoder = Encoder(given=given)
    tree = encoder.encode([tensor, array, values])
    back = Decoder([], given=given).decode(tree)
    assert back[0] is tensor and back[1] is array
    assert back[2] == values and back[2] is not values
    with pytest.raises(WireError, match="no array"):  # or a list could come to hold itself
        Decoder([], given=given).decode(["g", 2])

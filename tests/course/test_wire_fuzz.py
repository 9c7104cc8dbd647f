"""Whatever bytes come through the channel, what is made of them is data, or one kind of error.

A few hundred examples here; `make fuzz` tries 100,000, others in each run.
"""

import contextlib
import json
import os
import socket
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire_values import arrays, only_data, values

from tinytorch.core.tensor import Tensor
from tinytorch.course import wire
from tinytorch.course.child import Borrowed, Child
from tinytorch.course.remote import Box, Budget, Fault, Proxy, Session
from tinytorch.course.watch import Most, Watch
from tinytorch.course.wire import Decoder, Encoder, WireError
from tinytorch.lab import lent_tape
from tinytorch.lab.workloads import WORKLOADS

EXAMPLES = int(os.environ.get("TINYTORCH_FUZZ", "450"))
fuzz = settings(
    max_examples=-(-EXAMPLES // 3),
    derandomize="TINYTORCH_FUZZ" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
JUDGES = (Proxy, type(only_data))  # what the judge may find besides data: stand-ins, its functions
CHILDS = (Borrowed, lent_tape.Borrowed, *WORKLOADS.values())

TAGS = [*"ifcltszdbBrxegyavnTS", "thing", "function", "work", "lent"]
WORDS = [*TAGS, "C", "F", "<f4", "|b1", "|i1", ">f4", "O", "nan", "0x1f", "00", "Allocate", "known"]
ODD = [-1, 2**31, 2**40, 2**63, -(2**63), 10**400, 1e308, float("nan"), float("inf"), "\ud800"]


def of_the_test(*args):
    """A function of a test, as the student's process calls it."""
    return len(args)


def given_arguments():
    return [np.arange(3.0), Tensor(np.ones(2, np.float32)), [1, 2]]


def asked(answer):
    """A judge's session, and what its first call gives if the student's process answers this."""
    mine, theirs = socket.socketpair()
    theirs.sendall(raw({"kind": "hello"}, []))

    def other_side():
        with contextlib.suppress(OSError):  # the judge may hang up in the midst of it
            wire.receive(theirs)
            theirs.sendall(answer)
            theirs.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=other_side)
    thread.start()
    session = Session(mine, Watch(os.getpid(), os.getpid()), Most(1 << 40, 1 << 20))
    session.box = Box()
    session.begin(Budget(600, 600, 600))
    try:
        return session, session.call(["answer"], (of_the_test, *given_arguments()), {})
    finally:
        session.close()
        thread.join()
        theirs.close()


def raw(message, blobs):
    """The bytes of a frame."""
    mine, theirs = socket.socketpair()
    with mine, theirs:
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        wire.send(mine, message, blobs)
        mine.shutdown(socket.SHUT_WR)
        return theirs.makefile("rb").read()


ID = "2"  # of the first request; 1 is the number of the function
JUDGE, _ = asked(raw({"kind": "result", "id": ID, "value": None}, []))
CHILD = Child(None, SimpleNamespace(shell=SimpleNamespace(user_ns={"known": [1, 2]})))


def check_both_ways(tree, blobs):
    for layouts, side, others in ((False, JUDGE, JUDGES), (True, CHILD, CHILDS)):
        decoder = Decoder([memoryview(b) for b in blobs], side.taken, layouts, given_arguments())
        try:
            value = decoder.decode(tree)
        except WireError:
            continue
        except (NameError, AttributeError) as error:  # of a name of the notebook that is not there
            assert side is CHILD and "thing" in json.dumps(tree), error
            continue
        assert only_data(value, others)


atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 5),
    st.sampled_from(ODD),
    st.sampled_from(WORDS),
    st.text(max_size=3),
)
tags = st.sampled_from(TAGS)
trees = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(tags, inner).map(list),
        st.tuples(tags, st.lists(inner, max_size=5)).map(lambda parts: [parts[0], *parts[1]]),
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(WORDS), inner, max_size=2),
    ),
    max_leaves=20,
)
memory = st.lists(st.binary(max_size=12), max_size=3)


@fuzz
@given(trees, memory)
def test_any_tree_is_data_or_an_error(tree, blobs):
    check_both_ways(tree, blobs)


def places(tree, found):
    """Every list in a tree."""
    if type(tree) in (list, dict):
        found.append(tree)
        for part in tree.values() if type(tree) is dict else tree:
            places(part, found)
    return found


@st.composite
def spoilt(draw, tree):
    """A tree in which a few parts are replaced, removed, doubled or moved."""
    for _ in range(draw(st.integers(1, 3))):
        where = draw(st.sampled_from(places([tree], [])))
        if not where:
            continue
        at = draw(st.sampled_from(list(where) if type(where) is dict else range(len(where))))
        what = draw(st.integers(0, 5))
        if what == 0:
            where[at] = draw(trees)
        elif what == 1 and type(where) is list and len(where) > 1:
            del where[at]
        elif what == 2 and type(where) is list:
            where.insert(at, draw(atoms))
        elif what == 3 and type(where) is list:
            where.append(where[at])
        elif what == 4 and type(where) is list and type(where[at]) is list:
            where[at : at + 1] = where[at]
        else:
            where[at] = draw(atoms)
    return tree


@st.composite
def spoilt_encodings(draw):
    """What two values are encoded as, as arguments or as a result, and a little besides."""
    encoder = Encoder(layouts=draw(st.booleans()))
    tree = encoder.encode([draw(values), draw(arrays())])
    blobs = [bytes(blob) for blob in encoder.blobs]
    if draw(st.booleans()):
        at = draw(st.integers(0, len(blobs) - 1))
        blobs[at] = draw(st.sampled_from([blobs[at][1:], blobs[at] + b"\x00", b"", blobs[at] * 2]))
    return draw(spoilt(json.loads(json.dumps(tree)))), blobs


@fuzz
@given(spoilt_encodings())
def test_a_spoilt_encoding_is_data_or_an_error(encoding):
    check_both_ways(*encoding)


@st.composite
def spoilt_frames(draw):
    """An answer to the judge's first request, spoilt as a tree, as bytes, or both."""
    encoder = Encoder(given=given_arguments())
    message = {"kind": draw(st.sampled_from(["result", "result", "raised", "callback"])), "id": ID}
    message |= {"value": encoder.encode(draw(values)), "printed": draw(st.text(max_size=3))}
    message["changed"] = {draw(st.sampled_from("0123459x")): encoder.encode(draw(values))}
    message |= {"name": "ValueError", "text": "a", "args": ["a", 1], "token": None, "class": "E"}
    message |= {"callable": 1, "kwargs": ["d"], "lent": "lent1", "elements": message["value"]}
    if draw(st.booleans()):
        message = draw(spoilt(json.loads(json.dumps(message))))
        message = message if type(message) is dict else {"value": message}
    frame = bytearray(raw(message, encoder.blobs))
    for _ in range(draw(st.integers(0, 3))):
        at, what = draw(st.integers(0, len(frame) - 1)), draw(st.integers(0, 4))
        if what == 0:
            frame[at] = draw(st.integers(0, 255))
        elif what == 1:
            del frame[at : at + draw(st.integers(1, 4))]
        elif what == 2:
            frame[at:at] = draw(st.binary(min_size=1, max_size=4))
        elif what == 3:
            frame[at : at + 8] = frame[:8]
        else:
            frame += frame[at:]
        if not frame:
            frame = bytearray(b"\x00")
    return bytes(frame)


@fuzz
@given(spoilt_frames())
def test_a_spoilt_frame_is_data_an_error_of_python_or_the_students_fault(frame):
    try:
        _, value = asked(frame)
    except (Fault, Exception) as error:
        assert type(error) is Fault or hasattr(error, "parts"), error
    else:
        assert only_data(value, JUDGES)
    mine, theirs = socket.socketpair()
    with mine, theirs:
        theirs.sendall(frame)
        theirs.close()
        try:
            message, blobs = wire.receive(mine)
        except (WireError, EOFError):
            return
    check_both_ways(message.get("value"), blobs)


@pytest.mark.parametrize("value", [object(), np.float16, np.ma.masked, [print], {1: lambda: 1}])
def test_what_is_no_data_would_be_noticed(value):
    assert not only_data(value)

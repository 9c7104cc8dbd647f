"""What an answer does to its arguments is seen by the tests, as if both were in one process."""

import numpy as np
import pytest
from judged_sessions import LONG, answers

from tinytorch.core.compression import to_sparse
from tinytorch.core.tensor import Tensor
from tinytorch.course.remote import Fault, Proxy

SOURCE = """
import numpy as np

def rebound(x):
    x.data = x.data.T.copy()

def rebound_with_another_dtype(x):
    x.data = x.data.astype(np.float64)

def rebound_to_a_list(x):
    x.data = x.data.tolist()

def rebound_to_another_argument(x, y):
    x.data = y.data
    y.data[0] = 7

def written(x):
    x[0] = 7

def written_through_a_keyword(x, out):
    out[...] = x + 1

def written_in_a_tensor(x):
    x.data[0] += 1

def written_where_it_is_read_only(x):
    x.flags.writeable = True
    x[0] = 7

def written_and_then_failed(x):
    x[0] = 7
    raise ValueError("too late")

def written_into_a_sparse_matrix(x):
    x.values[...] = 3

def another_shape(x):
    x.shape = (x.size,)

def another_dtype(x):
    x.dtype = np.int32

def another_shape_and_dtype(x):
    x.shape = (-1,)
    x.dtype = np.int16
    x.shape = (2, -1)
    x[0] = 3

def longer(x):
    x.append([1, "two", np.float32(3), None])

def shorter(x):
    del x[0]

def replaced(x):
    x[1] = x[0]
    x[0] = np.zeros((2, 2), np.int8)

def reversed_in_place(x):
    x.reverse()

def key_added(x):
    x["new"] = x.pop("old") + 1

def element_added(x):
    x.discard(1)
    x.add((2, 3))

def inner_list_changed(x):
    x["a"][0].append(4)

def the_same_twice(x, y):
    x[0] += 1
    y[0] += 1

def left_alone(x):
    return x.copy()

def given_back(x):
    return x

def given_back_in_parts(x):
    return [x[1], x[0]]

def wrapped(x):
    from tinytorch.core.tensor import Tensor
    return Tensor(x)

def filled_with_functions(x):
    x[0] = lambda: 1

def own_class_put_in(x):
    class Own:
        pass
    x[0] = Own()

def told(texts, pairs, tensor):
    text = f"seen {texts!r}"
    texts[0], pairs[text], tensor.data = text, [text.encode()], text

def made_larger(x):
    x.resize((7, 7), refcheck=False)
"""
HERE: dict = {}
exec(SOURCE, HERE)


def f4(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def read_only(array):
    array.flags.writeable = False
    return array


def twice(value):
    return [value, value]


CASES = {
    "rebound": lambda: [Tensor(f4(2, 3))],
    "rebound_with_another_dtype": lambda: [Tensor(f4(2, 3))],
    "rebound_to_a_list": lambda: [Tensor(f4(2))],
    "rebound_to_another_argument": lambda: [Tensor(f4(2)), Tensor(f4(3))],
    "written": lambda: [f4(3)],
    "written ": lambda: [f4(3, 4).T],
    "written  ": lambda: [f4(3, 4)[:, ::-2]],
    "written_through_a_keyword": lambda: [f4(3), {"out": f4(3)}],
    "written_in_a_tensor": lambda: [Tensor(f4(3, 1))],
    "written_where_it_is_read_only": lambda: [read_only(f4(3))],
    "written_and_then_failed": lambda: [f4(3)],
    "written_into_a_sparse_matrix": lambda: [to_sparse(np.eye(3, dtype=np.float32))],
    "another_shape": lambda: [f4(2, 3)],
    "another_dtype": lambda: [f4(2, 3)],
    "another_dtype ": lambda: [np.ones((2, 3), np.float64)],
    "another_shape_and_dtype": lambda: [f4(2, 3)],
    "longer": lambda: [[1, 2]],
    "shorter": lambda: [[f4(2), f4(3)]],
    "replaced": lambda: [[f4(2), f4(3)]],
    "reversed_in_place": lambda: [[f4(2), 5, "x"]],
    "key_added": lambda: [{"old": 2, "kept": f4(2)}],
    "element_added": lambda: [{1, 2}],
    "inner_list_changed": lambda: [{"a": [[1, 2], 3]}],
    "the_same_twice": lambda: twice(f4(2)),
    "left_alone": lambda: [f4(2)],
}


@pytest.fixture(scope="module")
def there():
    with answers(SOURCE) as found:
        yield found


def call(function, args):
    """Call it, a dict at the end as keywords if it names them."""
    *values, last = args
    named = isinstance(last, dict) and set(last) == {"out"}
    try:
        function(*values, **last) if named else function(*args)
    except ValueError as error:
        return str(error)


def told(value):
    """All that there is to see of a value."""
    if isinstance(value, Tensor):
        return "Tensor", told(value.data)
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes(), value.flags.writeable
    if isinstance(value, list | tuple):
        return type(value).__name__, [told(part) for part in value]
    if isinstance(value, dict):
        return [(told(key), told(part)) for key, part in value.items()]
    if hasattr(value, "indptr"):
        return told([value.indptr, value.indices, value.values])
    return type(value).__name__, value


@pytest.mark.parametrize("case", CASES)
def test_arguments_become_what_they_become_in_one_process(case, there):
    mine, theirs = CASES[case](), CASES[case]()
    for before, after in zip(mine, theirs, strict=True):
        if isinstance(before, np.ndarray) and before.base is not None:
            assert before.strides == after.strides
    name = case.strip()
    assert call(getattr(there, name), theirs) == call(HERE[name], mine)
    if name != "written_where_it_is_read_only":  # the flag itself stays as it was
        assert told(theirs) == told(mine)
    else:
        assert theirs[0].tolist() == mine[0].tolist()
    assert name == "left_alone" or told(CASES[case]()) != told(theirs)


def test_views_of_an_argument_see_what_was_written(there):
    whole = f4(4, 4)
    view = whole[1]
    there.written(view)  # its first element
    assert whole[1].tolist() == [7, 5, 6, 7] and whole[0].tolist() == [0, 1, 2, 3]
    there.written(whole.T[1:])
    assert view.tolist() == [7, 7, 6, 7] and whole[3].tolist() == [12, 7, 14, 15]


def test_what_came_as_an_argument_comes_back_as_it(there):
    x, tensor = f4(3), Tensor(f4(2))
    assert there.given_back(x) is x and there.given_back(tensor) is tensor
    assert there.wrapped(x).data is x
    parts = there.given_back_in_parts([x, tensor])
    assert parts[0] is tensor and parts[1] is x
    values = [1, 2]
    assert there.given_back(values) == values and there.given_back(values) is not values


def test_objects_keep_who_they_are_where_a_list_is_changed(there):
    x, y = f4(2), Tensor(f4(3))
    values = [x, y]
    there.reversed_in_place(values)
    assert values[0] is y and values[1] is x


@pytest.mark.parametrize("name", ["filled_with_functions", "own_class_put_in"])
def test_what_is_no_data_is_stood_for(name, there):
    values = [1, 2]
    getattr(there, name)(values)
    assert isinstance(values[0], Proxy) and values[1] == 2


def test_texts_that_a_hidden_test_finds_in_its_arguments_are_not_quoted():
    texts, pairs, tensor = [42], {}, Tensor(f4(1))
    with answers(SOURCE) as found:
        found.session.begin(LONG, hidden=True)
        found.told(texts, pairs, tensor)
    assert texts == ["seen [42]"] and "seen [42]" in pairs
    assert not any("42" in f"{value!r} {value}" for value in (texts, pairs, tensor.data))


def test_an_array_cannot_be_made_larger_in_its_place():
    x = np.zeros(2, np.float32)
    view = x[:1]
    with answers(SOURCE) as found, pytest.raises(Fault, match="another size"):
        found.made_larger(x)
    assert x.tolist() == [0, 0] and view.base is x

"""Sequential networks, their file format, and their view as plain arrays."""

import numpy as np
import pytest

from tinytorch.core.activations import ReLU, Sigmoid, Softmax
from tinytorch.core.layers import Dense
from tinytorch.core.networks import Sequential, dense_layers


@pytest.fixture
def model():
    return Sequential(
        [Dense(4, 3, rng=0), ReLU(), Dense(3, 2, use_bias=False, rng=1), Sigmoid(), Softmax()]
    )


def test_layers_are_applied_in_order():
    double, shift = Dense.from_arrays([[2.0]]), Dense.from_arrays([[1.0]], [-3.0])
    assert Sequential([double, shift, ReLU()])([[1.0], [2.0]]).data.tolist() == [[0.0], [1.0]]


def test_an_empty_network_is_the_identity():
    assert Sequential([])([1.0, 2.0]).data.tolist() == [1.0, 2.0]


def test_a_layer_must_be_callable():
    with pytest.raises(TypeError, match="layer 1"):
        Sequential([ReLU(), "relu"])


def test_parameters_are_those_of_the_dense_layers(model):
    first, second = model.layers[0], model.layers[2]
    assert model.parameters() == [first.weights, first.bias, second.weights]


def test_a_saved_network_loads_again(model, tmp_path):
    path = tmp_path / "model.any-name"
    model.save(path)
    loaded = Sequential.load(path)
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in model.layers]
    x = np.random.default_rng(0).standard_normal((5, 4))
    np.testing.assert_array_equal(loaded(x).data, model(x).data)


def test_saving_twice_writes_the_same_bytes(model, tmp_path):
    model.save(tmp_path / "a.npz")
    model.save(str(tmp_path / "b.npz"))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_layer_of_another_kind_cannot_be_saved(tmp_path):
    with pytest.raises(TypeError, match="layer 0"):
        Sequential([lambda x: x]).save(tmp_path / "model.npz")
    assert not (tmp_path / "model.npz").exists()


def npz(**arrays):
    return lambda path: np.savez(path, **arrays)


MALFORMED = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("no network"),
    "npy": lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"),
    "no layers": npz(a=np.ones(2)),
    "layers no names": npz(layers=np.ones(2)),
    "pickled": npz(layers=np.array(["dense", None], dtype=object)),
    "unknown layer": npz(layers=np.array(["conv"])),
    "no weights": npz(layers=np.array(["dense"])),
    "vector weights": npz(layers=np.array(["dense"]), **{"0.weights": np.ones(3)}),
    "empty weights": npz(layers=np.array(["dense"]), **{"0.weights": np.ones((0, 3))}),
    "complex weights": npz(layers=np.array(["dense"]), **{"0.weights": np.ones((2, 2)) * 1j}),
    "wrong bias": npz(
        layers=np.array(["dense"]), **{"0.weights": np.ones((3, 2)), "0.bias": np.ones(3)}
    ),
    "layers do not fit": npz(
        layers=np.array(["dense", "dense"]),
        **{"0.weights": np.ones((3, 2)), "1.weights": np.ones((3, 2))},
    ),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_file_is_a_value_error_that_names_it(kind, tmp_path):
    path = tmp_path / "broken.npz"
    MALFORMED[kind](path)
    with pytest.raises(ValueError, match=r"broken\.npz is not a saved TinyTorch network"):
        Sequential.load(path)


def test_every_truncation_is_noticed(model, tmp_path):
    path = tmp_path / "broken.npz"
    model.save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"broken\.npz"):
            Sequential.load(path)


def test_a_single_array_is_no_network(tmp_path):
    with open(tmp_path / "array.npz", "wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(ValueError, match="single array"):
        Sequential.load(tmp_path / "array.npz")


def test_a_missing_file_stays_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Sequential.load(tmp_path / "nowhere.npz")


def test_dense_layers_gives_plain_arrays():
    model = Sequential([Dense(4, 3, rng=0), ReLU(), Dense(3, 2, use_bias=False, rng=1)])
    first, second = dense_layers(model)
    assert first.weight is model.layers[0].weights.data
    assert first.bias is model.layers[0].bias.data
    assert second.bias.tolist() == [0.0, 0.0]
    assert (first.relu, second.relu) == (True, False)


def test_dense_layers_replay_the_network():
    model = Sequential([Dense(4, 3, rng=0), ReLU(), Dense(3, 3, rng=1), Dense(3, 2, rng=2)])
    x = y = np.random.default_rng(3).standard_normal((5, 4)).astype("f4")
    for weight, bias, relu in dense_layers(model):
        y = y @ weight + bias
        y = np.maximum(y, 0) if relu else y
    np.testing.assert_array_equal(y, model(x).data)


@pytest.mark.parametrize("layers", [[ReLU()], [Dense(2, 2), ReLU(), ReLU()], [Softmax()]])
def test_dense_layers_refuses_other_networks(layers):
    with pytest.raises(ValueError, match=type(layers[-1]).__name__):
        dense_layers(Sequential(layers))

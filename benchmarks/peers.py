"""What a user would call instead, where it is installed. Nothing is timed or judged here.

Every function takes arrays, prepares what a user prepares once (tensors, sessions, sparse
weights), and returns a call without arguments; None where the package is missing.
"""

import importlib
import warnings
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

Call = Callable[[], Any] | None


_absent = False


def forget() -> None:
    """From now on no peer is found: where only memory is measured they would only cost time."""
    global _absent
    _absent = True


def find(name: str) -> ModuleType | None:
    """The module, or None where it is not installed."""
    if _absent:
        return None
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def as_numpy(result: Any) -> np.ndarray:
    """What any contestant returned, as an array."""
    if isinstance(result, dict):
        return np.stack([as_numpy(value) for value in result.values()])
    if isinstance(result, list):  # ONNX Runtime returns all outputs of a model
        return as_numpy(result[0]) if len(result) == 1 else np.stack([*map(as_numpy, result)])
    if getattr(result, "is_quantized", False):
        result = result.dequantize()
    if hasattr(result, "numpy"):  # a Tensor, ours or torch's
        return np.asarray(result.numpy())
    return np.asarray(result)


def torch_relu(x: np.ndarray) -> Call:
    """torch.relu on a tensor that shares x's memory."""
    torch = find("torch")
    return partial(torch.relu, torch.from_numpy(x)) if torch else None


def torch_linear_relu(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> Call:
    """torch.relu(linear) with the weights in torch's own layout, (out, in)."""
    torch = find("torch")
    if torch is None:
        return None
    tx, tW, tb = (torch.from_numpy(np.ascontiguousarray(a)) for a in (x, W.T, b))
    linear = torch.nn.functional.linear
    return lambda: torch.relu(linear(tx, tW, tb))


def scipy_csr(A: np.ndarray, W: np.ndarray) -> Call:
    """A @ W with W in SciPy's compressed rows, made once, in the faster of its two orders."""
    sparse = find("scipy.sparse")
    if sparse is None:
        return None
    rows = sparse.csr_array(W.T)
    return lambda: (rows @ A.T).T


def fbgemm(qa: np.ndarray, qb: np.ndarray, largest: float) -> Call:
    """torch's quantized linear layer: uint8 inputs (|qa|, its faster sign), int8 weights.

    largest: of the absolute results; the layer rounds its output to 8 bits, by steps of
    largest / 100.
    """
    torch = find("torch")
    if torch is None or "fbgemm" not in torch.backends.quantized.supported_engines:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch moves these layers elsewhere
        torch.backends.quantized.engine = "fbgemm"
        layer = torch.ao.nn.quantized.Linear(qa.shape[1], qb.shape[1], bias_=False)
        weights = torch.from_numpy(np.ascontiguousarray(qb.T, np.float32))
        layer.set_weight_bias(torch.quantize_per_tensor(weights, 1.0, 0, torch.qint8), None)
        layer.scale, layer.zero_point = largest / 100, 128
        inputs = torch.from_numpy(np.abs(qa.astype(np.float32)))
        return partial(layer, torch.quantize_per_tensor(inputs, 1.0, 0, torch.quint8))


def onnx_integer_product(ua: np.ndarray, b: np.ndarray, threads: int) -> Call:
    """ONNX Runtime's MatMulInteger of uint8 by int8 or uint8; int32 results."""
    onnx, runtime = find("onnx"), find("onnxruntime")
    if onnx is None or runtime is None:
        return None
    helper, kinds = onnx.helper, onnx.TensorProto

    def value(name: str, kind: int) -> Any:
        return helper.make_tensor_value_info(name, kind, [None, None])

    node = helper.make_node("MatMulInteger", ["A", "B"], ["C"])
    kind = kinds.INT8 if b.dtype == np.int8 else kinds.UINT8
    inputs = [value("A", kinds.UINT8), value("B", kind)]
    graph = helper.make_graph([node], "product", inputs, [value("C", kinds.INT32)])
    # Versions of the format that every ONNX Runtime of the last years reads.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=10)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    session = runtime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return partial(session.run, None, {"A": ua, "B": b})


def torch_median(call: Callable[[], object], seconds: float) -> Callable[[], float] | None:
    """A reading of torch.utils.benchmark: the median over about `seconds` of calls."""
    if find("torch") is None:
        return None
    timer = importlib.import_module("torch.utils.benchmark").Timer("call()", globals={"call": call})
    return lambda: timer.blocked_autorange(min_run_time=seconds).median

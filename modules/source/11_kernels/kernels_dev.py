# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: nbgrader,tags,-all
#     formats: ipynb,py:percent
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Kernels: the same arithmetic, faster
#
# > Matrix products, ReLU, parallel and quantized kernels, and a profiler to measure them with.
#
# A kernel is the innermost piece of numerical code: the loop that a model spends its time in.
# Earlier modules asked *what* to compute. This one asks how a computer does it: which bytes
# move, which instructions run, which cores wait.
#
# Every step has the same three parts.
#
# | part | what you do |
# |---|---|
# | Build | write the kernel from its contract, and test it |
# | Use | guess what your machine will do with it, then measure |
# | Optimize | read from the picture what limits it, change one thing, and measure again |
#
# | step | kernels | hours |
# |---|---|---|
# | 1 Understanding custom operations | `matmul_baseline` | 1 |
# | 2 SIMD vectorization | `vectorized_relu`, `vectorized_operations` | 1.5 |
# | 3 Memory layout | `cache_friendly_matmul` | 2 |
# | 4 GPU-style parallel computing | `parallel_relu`, `parallel_batch_processing` | 2 |
# | 5 Performance profiling | `SimpleProfiler` | 1.5 |
# | 6 Compressed-model kernels | `quantized_matmul`, `quantized_relu` | 2 |
#
# **How this notebook works.** Fill the cells that say `YOUR CODE HERE`, and run the test cell
# below each. Hidden tests run when the notebook is graded: odd shapes, other dtypes, bad
# arguments. Experiments are never graded. Each asks for a guess first; a wrong guess that you
# wrote down teaches more than a right one that you did not. No grade depends on how fast your
# machine is.
#
# **What all kernels share.** They take Tensors or anything that NumPy takes for an array, return
# new Tensors, and never change what they were given. A wrong argument raises `ValueError`, or
# `TypeError` where it is no number or no array, with the value received in the message. You have
# helpers for the dull part:
#
# | helper | what it does |
# |---|---|
# | `as_array(x)` | the ndarray inside a Tensor or array-like, not copied |
# | `matmul_operands(A, B)` | both arrays, once their shapes fit; else `ValueError` with both shapes |
# | `positive_int(name, value)` | the whole number, once it is at least 1; else an error with its name |
# | `check_scale(name, scale)` | the scale, once it is finite and above zero (step 6) |
# | `quantize(x, scale)`, `dequantize(q, scale)` | to int8 levels and back (step 6) |

# %% nbgrader={"grade": false, "grade_id": "setup_threads", "locked": true, "schema_version": 3, "solution": false, "task": false}
import os

# One BLAS thread: else a picture compares numbers of threads and not kernels. NumPy reads these
# variables once, when it is imported.
for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")

# %% nbgrader={"grade": false, "grade_id": "setup_export", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| default_exp core.kernels

# %% nbgrader={"grade": false, "grade_id": "setup_imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterable
from concurrent import futures
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import numpy as np

from tinytorch.core.compression import check_scale, dequantize, quantize
from tinytorch.core.layers import matmul, matmul_operands
from tinytorch.core.tensor import ArrayLike, Tensor, as_array, positive_int

# %% nbgrader={"grade": false, "grade_id": "setup_checks", "locked": true, "schema_version": 3, "solution": false, "task": false}
from functools import partial
from types import SimpleNamespace

from tinytorch.lab.expect import expect_error, expect_tensor, expect_unchanged

# %% tags=["ungraded"]
from tinytorch.lab.digits_run import run_digits
from tinytorch.lab.measure import race
from tinytorch.lab.plots import bars, histogram, lines, you_guessed

rng = np.random.default_rng(0)

# %% [markdown]
# ## Step 1. Understanding custom operations
#
# ### matmul_baseline
#
# **What limits it.** A product of two n by n matrices takes 2n³ operations on 3n² numbers. Every
# number can be used n times once it has been fetched, so the arithmetic, not the memory, should
# be the limit. Python spends far longer on finding out what to do next than on doing it; NumPy
# hands the whole product to a compiled library (BLAS).
#
# | n | numbers | operations | operations per number |
# |---|---|---|---|
# | 4 | 48 | 128 | 2.7 |
# | 64 | 12,288 | 524,288 | 42.7 |
# | 1,024 | 3,145,728 | 2,147,483,648 | 682.7 |
#
# The first kernel is the yardstick for all later ones: correct, plain, built on the `matmul` of
# the layers module. `matmul` takes Tensors or arrays, checks the shapes and returns an ndarray.


# %% nbgrader={"grade": false, "grade_id": "matmul_baseline", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def matmul_baseline(A: ArrayLike, B: ArrayLike) -> Tensor:
    """Matrix product through the proven `matmul` of the layers module. About one line.

    A: (m, k), B: (k, n), Tensors or array-likes. Returns a new Tensor (m, n) of the dtype
    `np.result_type(A, B)`. Shapes that do not fit, or are not 2-D: ValueError with both shapes.

    >>> matmul_baseline([[1.0, 2.0]], [[3.0], [4.0]]).data
    array([[11.]], dtype=float32)
    """
    ### BEGIN SOLUTION
    return Tensor(matmul(A, B))
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# Everything but the type of the result is done by a function that is already imported.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Call `matmul` with A and B as they are (`A.data` is an array only if A is a Tensor). It returns
# an ndarray. Kernels return Tensors.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `Tensor(...)` around the call of `matmul`.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_matmul_baseline", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
def check_matmul_baseline():
    A = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)
    B = np.array([[1, 0], [0, 1], [2, -1]], dtype=np.float32)
    expected = np.array([[7, -1], [16, -1]], dtype=np.float32)
    cause = "is it the matrix product, rows of A with columns of B?"
    expect_tensor(matmul_baseline(Tensor(A), Tensor(B)), expected, cause)
    expect_tensor(matmul_baseline(A, B), expected, "arrays are welcome too, " + cause)
    expect_error(
        ValueError,
        matmul_baseline,
        np.ones((2, 3)),
        np.ones((4, 5)),
        mentions=("(2, 3)", "(4, 5)"),
        cause="the inner dimensions 3 and 4 differ",
    )


check_matmul_baseline()


# %% nbgrader={"grade": true, "grade_id": "test_matmul_baseline_hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of matmul_baseline: other shapes and dtypes, and shapes that do not fit.
### BEGIN HIDDEN TESTS
def check_matmul_baseline_hidden():
    rng = np.random.default_rng(11)
    for m, k, n in [(1, 1, 1), (7, 3, 5), (24, 25, 26), (3, 0, 2), (0, 4, 3)]:
        for dtype in (np.float32, np.float64, np.int64):
            A = rng.integers(-8, 9, (m, k)).astype(dtype)
            B = rng.integers(-8, 9, (k, n)).astype(dtype)
            kept = A.copy(), B.copy()
            expect_tensor(matmul_baseline(A, B), A @ B, f"shapes {(m, k)} and {(k, n)}")
            expect_unchanged(A, kept[0], "A")
            expect_unchanged(B, kept[1], "B")
    A, B = rng.standard_normal((5, 40)), rng.standard_normal((40, 6))
    cause = "float64 in, float64 all the way"
    expect_tensor(matmul_baseline(A, B), A @ B, cause, rtol=1e-9, atol=1e-9)
    mixed = matmul_baseline(np.ones((2, 2), np.float32), np.ones((2, 2), np.float64))
    expect_tensor(mixed, np.full((2, 2), 2.0), "float32 with float64 gives float64")
    for bad in [(3,), (2, 2, 3)]:
        expect_error(
            ValueError,
            matmul_baseline,
            np.ones(bad),
            np.ones((3, 2)),
            mentions=(str(bad), "(3, 2)"),
            cause="inputs that are not 2-D must be refused",
        )


check_matmul_baseline_hidden()
### END HIDDEN TESTS

# %% [markdown]
# **Guess.** The next cell holds the same product as three Python loops. How many times faster is
# `matmul_baseline` for two 64 by 64 matrices? Write a number in place of `None`.

# %%
my_guess = None  # how many times faster than three Python loops, at n = 64?


# %% tags=["ungraded"]
def three_loops(A, B):
    m, k, n = len(A), len(B), len(B[0])
    C = [[0.0] * n for _ in range(m)]
    for i in range(m):
        for j in range(n):
            for p in range(k):
                C[i][j] += A[i][p] * B[p][j]
    return C


A, B = rng.random((2, 64, 64), dtype=np.float32)
lists = A.tolist(), B.tolist()
assert np.allclose(three_loops(*lists), matmul_baseline(A, B).data, rtol=1e-4)
times = race(
    {"three Python loops": lambda: three_loops(*lists), "yours": lambda: matmul_baseline(A, B)}
)
bars(times, "Product of two 64 by 64 matrices", guess=my_guess)

# %% [markdown]
# Both bars did the same 524,288 operations. The difference is not arithmetic: for each of them
# the interpreter looks up names, checks types, makes number objects and throws them away.
#
# **Optimize.** Move the loop over `p` outside the loop over `j` and keep `A[i][p]` in a variable.
# How much of the gap closes without leaving Python?


# %% tags=["ungraded"]
def test_matmul_baseline():
    check_matmul_baseline()
    print("Step 1: the visible tests pass.")


test_matmul_baseline()

# %% [markdown]
# ## Step 2. SIMD vectorization
#
# ### vectorized_relu
#
# **What limits it.** ReLU does one comparison for every element that it reads and writes. A SIMD
# instruction does it for 4, 8 or 16 float32 at once, which leaves the processor waiting for the
# bytes. Per float32 element:
#
# | | bytes moved | operations |
# |---|---|---|
# | ReLU | 8 (read and written) | 1 |
# | product of two 1,024 by 1,024 matrices | 4 (each of three matrices once) | 683 |
#
# To reach the SIMD loop at all, the loop over the elements has to run in compiled code. In NumPy
# that means: one call for the whole array, and no `for`.


# %% nbgrader={"grade": false, "grade_id": "vectorized_relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def vectorized_relu(x: ArrayLike) -> Tensor:
    """max(x, 0) for every element, without a Python loop. About two lines.

    x: Tensor or array-like of any shape, 0-d and empty too. Returns a new Tensor of the same
    shape and dtype. NaN stays NaN, -inf becomes 0.

    >>> vectorized_relu([-2.0, 0.0, 3.0]).data
    array([0., 0., 3.], dtype=float32)
    """
    ### BEGIN SOLUTION
    values = as_array(x)
    # A zero of the same dtype: with a Python 0, bool would become int64.
    return Tensor(np.maximum(values, values.dtype.type(0)))
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# Which NumPy function takes two arguments and keeps the larger, element by element?
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# `as_array(x)` gives the ndarray inside a Tensor or an array-like. Compare it with a zero of its
# own dtype. `np.where(x > 0, x, 0)` looks alike, but a comparison with NaN is False.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `np.maximum(values, values.dtype.type(0))`, and a Tensor around it.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_relu", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
def check_vectorized_relu():
    x = np.array([[-2.0, -0.5, 0.0], [0.5, 3.0, -1e-7]], dtype=np.float32)
    before = x.copy()
    expected = np.array([[0, 0, 0], [0.5, 3.0, 0]], dtype=np.float32)
    expect_tensor(vectorized_relu(Tensor(x)), expected, "is everything below zero set to zero?")
    expect_unchanged(x, before, "x")
    got = vectorized_relu(np.array([np.nan, -np.inf, np.inf], dtype=np.float32))
    cause = "a comparison with NaN is False, so np.where and x * (x > 0) lose or spread it"
    expect_tensor(got, np.array([np.nan, 0, np.inf], dtype=np.float32), cause)


check_vectorized_relu()


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_relu_hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of vectorized_relu: any shape, any dtype, any memory order.
### BEGIN HIDDEN TESTS
def check_vectorized_relu_hidden():
    rng = np.random.default_rng(12)
    for shape in [(), (0,), (1,), (1000,), (3, 0, 2), (5, 7, 2)]:
        for dtype in (np.float16, np.float32, np.float64, np.int8, np.int64):
            x = np.asarray(rng.integers(-9, 10, shape)).astype(dtype)
            before = x.copy()
            expected = np.asarray(np.where(x > 0, x, 0), dtype=dtype)
            expect_tensor(vectorized_relu(x), expected, f"shape {shape}, {x.dtype}")
            expect_unchanged(x, before, "x")
    x = rng.standard_normal((6, 8))
    expect_tensor(vectorized_relu(x.T[::2]), np.maximum(x.T[::2], 0), "a strided view as input")
    x = np.array([2**40 + 1, -(2**40) - 1, 5])
    expect_tensor(vectorized_relu(x), np.array([2**40 + 1, 0, 5]), "an int64 does not fit float32")
    x = np.array([1 / 3, -1 / 3], dtype=np.float32)
    expect_tensor(vectorized_relu(x), np.maximum(x, np.float32(0)), "no digit may be lost")


check_vectorized_relu_hidden()
### END HIDDEN TESTS


# %% [markdown]
# **Guess.** Time per element falls as the array grows, since the cost of the call is shared, and
# stops falling somewhere. At how many elements does one call of `vectorized_relu` reach half of
# its best speed?

# %%
my_guess = None  # elements


# %% tags=["ungraded"]
sizes = [10**e for e in range(1, 8)]
inputs = [rng.standard_normal(n, dtype=np.float32) for n in sizes]
times = race({n: partial(vectorized_relu, x) for n, x in zip(sizes, inputs, strict=True)})
per_element = [statistics.median(times[n]) / n * 1e9 for n in sizes]
half_speed = next(n for n, t in zip(sizes, per_element, strict=True) if t <= 2 * min(per_element))
lines(
    {"vectorized_relu": (sizes, per_element)},
    xlabel="elements",
    ylabel="nanoseconds per element",
    caption=f"Within twice the best time per element from {half_speed:,} elements on.",
    guess=my_guess,
)

# %% [markdown]
# To the left, the call costs more than the work. To the right, the array no longer fits a cache:
# every element comes from memory and goes back there, into pages that are new to the process.
#
# **Optimize.** Time `np.maximum(x, 0, out=out)` with an `out` made once beside it. The difference
# at the right end is what fresh memory costs.

# %% [markdown]
# ### vectorized_operations
#
# **What limits it.** Three elementwise results of two inputs, each its own pass. Every pass reads
# and writes whole arrays, and `(x - y)**2` writes the difference to memory only to read it back.
#
# | result | arrays read | arrays written |
# |---|---|---|
# | `multiply` | x, y | 1 |
# | `add` | x, y | 1 |
# | `squared_diff` | x, y, then the difference | the difference, then 1 |


# %% nbgrader={"grade": false, "grade_id": "vectorized_operations", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def vectorized_operations(x: ArrayLike, y: ArrayLike) -> dict[str, Tensor]:
    """Product, sum and squared difference, element by element. About six lines.

    x, y: Tensors or array-likes of equal shape; shapes that differ are a ValueError naming both
    (no broadcasting). Returns new Tensors of dtype `np.result_type(x, y)` under the keys
    `multiply`, `add` and `squared_diff`.

    >>> vectorized_operations([1.0, 2.0], [3.0, 5.0])["squared_diff"].data
    array([4., 9.], dtype=float32)
    """
    ### BEGIN SOLUTION
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"x and y must have the same shape, got {a.shape} and {b.shape}")
    # NumPy refuses to subtract bools; of 0 and 1 the difference is whether they differ.
    both_bool = a.dtype == b.dtype == np.bool_
    difference = np.not_equal(a, b) if both_bool else np.subtract(a, b)
    return {
        "multiply": Tensor(a * b),
        "add": Tensor(a + b),
        "squared_diff": Tensor(difference * difference),
    }
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# NumPy's operators already work on whole arrays. What they also do, without being asked, is
# broadcast.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Take both arrays with `as_array`. Compare the shapes and raise. Build the dict, each value a
# Tensor.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `{"multiply": Tensor(a * b), ...}` with `difference = a - b` computed once and squared by
# `difference * difference`.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_operations", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
def check_vectorized_operations():
    x = np.array([[1.0, -2.0], [3.0, 0.5]], dtype=np.float32)
    y = np.array([[4.0, 2.0], [-1.0, 0.5]], dtype=np.float32)
    got = vectorized_operations(Tensor(x), y)
    assert isinstance(got, dict), f"got a {type(got).__name__}, expected a dict of three Tensors"
    keys = ["add", "multiply", "squared_diff"]
    assert sorted(got) == keys, f"got the keys {sorted(got)}, expected {keys}"
    expect_tensor(got["multiply"], x * y, "multiply is the product of each pair")
    expect_tensor(got["add"], x + y, "add is the sum of each pair")
    expect_tensor(got["squared_diff"], (x - y) ** 2, "subtract first, then square")
    shapes = "(2, 2)", "(2, 1)"
    cause = "NumPy broadcasts without being asked: compare the shapes first"
    expect_error(ValueError, vectorized_operations, x, y[:, :1], mentions=shapes, cause=cause)


check_vectorized_operations()


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_operations_hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of vectorized_operations: shapes, dtypes, and pairs that do not fit.
### BEGIN HIDDEN TESTS
def check_vectorized_operations_hidden():
    rng = np.random.default_rng(13)
    for shape in [(), (0, 3), (257,), (4, 5, 6)]:
        for dtypes in [(np.float32, np.float32), (np.float32, np.float64), (np.int64, np.int64)]:
            x, y = (np.asarray(rng.integers(-9, 10, shape)).astype(d) for d in dtypes)
            kept = x.copy(), y.copy()
            got = vectorized_operations(x, y)
            expect_tensor(got["multiply"], np.asarray(x * y), f"multiply, {dtypes}")
            expect_tensor(got["add"], np.asarray(x + y), f"add, {dtypes}")
            expect_tensor(got["squared_diff"], np.asarray((x - y) ** 2), f"{dtypes}")
            expect_unchanged(x, kept[0], "x")
            expect_unchanged(y, kept[1], "y")
    for dtype, rtol in ((np.float64, 1e-12), (np.float32, 1e-6)):
        x, y = (1000 + rng.standard_normal((2, 50))).astype(dtype)
        got, cause = (
            vectorized_operations(x, y),
            "in the inputs' dtype; subtract first, then square",
        )
        expect_tensor(got["multiply"], x * y, cause, rtol=rtol)
        expect_tensor(got["add"], x + y, cause, rtol=rtol)
        expect_tensor(got["squared_diff"], (x - y) ** 2, cause, rtol=rtol)
    for bad in [(3, 1), (1,), (3, 4), ()]:
        expect_error(
            ValueError,
            vectorized_operations,
            np.ones((4, 3)),
            np.ones(bad),
            mentions=("(4, 3)", str(bad)),
            cause="shapes that differ must be refused, not broadcast",
        )


check_vectorized_operations_hidden()
### END HIDDEN TESTS


# %% [markdown]
# **Guess.** `squared_diff` writes the difference to memory and reads it back; working through
# the arrays in pieces that stay in the cache does not. How many times faster are the pieces,
# for ten million elements?

# %%
my_guess = None  # how many times faster than one pass after the other?


# %% tags=["ungraded"]
def squared_diff_in_pieces(x, y, out, piece=16_384):
    for start in range(0, len(x), piece):
        part = out[start : start + piece]
        np.subtract(x[start : start + piece], y[start : start + piece], out=part)
        np.multiply(part, part, out=part)
    return out


x, y = rng.standard_normal((2, 10_000_000), dtype=np.float32)
out, spare = np.empty_like(x), np.empty_like(x)
times = race(
    {
        "whole arrays": lambda: np.multiply(np.subtract(x, y, out=spare), spare, out=out),
        "in pieces": lambda: squared_diff_in_pieces(x, y, out),
    },
    rounds=9,
)
bars(times, "squared_diff of 10,000,000 elements", guess=my_guess)

# %% [markdown]
# The arithmetic is the same and so is the number of SIMD instructions. What differs is how often
# a byte crosses the bus between memory and cache. Doing several steps while the data is near is
# called fusion.
#
# **Optimize.** Try pieces of 1,000 and of 1,000,000 elements. Which of the two costs that you have
# seen so far does each of them run into?


# %% tags=["ungraded"]
def test_vectorized_operations():
    check_vectorized_relu()
    check_vectorized_operations()
    print("Step 2: the visible tests pass.")


test_vectorized_operations()

# %% [markdown] nbgrader={"grade": false, "grade_id": "question_intensity", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Written question 1
#
# Arithmetic intensity is the number of operations per byte moved. Work it out for ReLU on
# float32 and for the product of two 1,024 by 1,024 float32 matrices (each matrix moved once).
# Which of the two gains from a second core, if one core can already use the whole memory
# bandwidth? Give numbers and a reason, in at most ten lines.

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer_intensity", "locked": false, "points": 5, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# ReLU reads 4 bytes, writes 4 and compares once: 1/8 operation per byte. The product takes
# 2 * 1024^3 operations on 3 * 1024^2 * 4 bytes: about 171 operations per byte. ReLU already waits
# for memory, and a second core would wait for the same memory. The product is limited by the
# arithmetic units; a second core brings its own, so the time can halve.
# ### END SOLUTION

# %% [markdown]
# ## Step 3. Memory layout
#
# A processor does not read elements, it reads cache lines, and it keeps the lines that it used
# last in a few small, fast memories, the caches. The next experiment copies an array, over and
# over, for working sets (source and target together) from a few KiB to far more than a cache
# holds.
#
# **Guess.** Beyond which working set does the speed first fall to half of its best?

# %%
my_guess = None  # bytes; 2**20 is one MiB


# %% tags=["ungraded"]
working_sets = [2**e for e in range(13, 28)]
buffers = [np.ones((2, size // 8), dtype=np.float32) for size in working_sets]
times = race({b.nbytes: partial(np.copyto, b[0], b[1]) for b in buffers}, rounds=25)
speeds = [size / statistics.median(times[size]) / 1e9 for size in working_sets]
best = max(speeds)
fall = next((s for s, v in zip(working_sets, speeds, strict=True) if s > 2**17 and v < best / 2), 0)
caption = f"Best {best:.0f} GB/s, {speeds[-1]:.0f} GB/s at {working_sets[-1] // 2**20} MiB. " + (
    f"Half of the best is lost at {fall / 2**20:g} MiB." if fall else "No fall by half seen."
)
lines(
    {"copy": (working_sets, speeds)},
    xlabel="working set",
    ylabel="GB/s read and written",
    caption=caption,
    guess=my_guess,
    x_in_bytes=True,
)

# %% [markdown]
# At the far left the cost of a NumPy call hides the fastest cache. Each level to the right holds
# more and delivers less. A product of large matrices reads the same numbers again and again: the
# question is from which level.

# %% [markdown]
# ### cache_friendly_matmul
#
# **What limits it.** Row by column, computing one row of C walks through all of B. By the time
# the next row wants B again, a large B has left the cache. Cut into tiles of b by b, one step
# needs three tiles, and each number fetched is used b times before it is let go.
#
# ```
#        p                       j                      j
#      +---+---+           +---+---+---+          +---+---+---+
#      |   |   |         p |   | B |   |          |   |   |   |
#      +---+---+           +---+---+---+          +---+---+---+
#    i | A |   |           |   |   |   |    =   i |   | C |   |    C[i,j] += A[i,p] @ B[p,j]
#      +---+---+           +---+---+---+          +---+---+---+
# ```
#
# | block | bytes in use, 3 tiles of float32 | uses of each number fetched |
# |---|---|---|
# | 8 | 768 | 8 |
# | 32 | 12,288 | 32 |
# | 128 | 196,608 | 128 |


# %% nbgrader={"grade": false, "grade_id": "cache_friendly_matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def cache_friendly_matmul(A: ArrayLike, B: ArrayLike, block_size: int = 32) -> Tensor:
    """Matrix product in tiles; one step touches at most 3 * block_size**2 elements. Ten lines.

    A: (m, k), B: (k, n), any sizes: the last tiles may be ragged, and a block may be larger than
    the matrix. Returns a new Tensor (m, n) of dtype `np.result_type(A, B)`.
    ValueError: shapes as in `matmul_baseline`, or block_size < 1.

    >>> cache_friendly_matmul(np.eye(3), np.eye(3), block_size=2).shape
    (3, 3)
    """
    ### BEGIN SOLUTION
    a, b = matmul_operands(A, B)
    step = positive_int("block_size", block_size)
    (m, k), n = a.shape, b.shape[1]
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for i in range(0, m, step):
        for j in range(0, n, step):
            tile = C[i : i + step, j : j + step]  # a view: adding to it adds to C
            for p in range(0, k, step):
                tile += a[i : i + step, p : p + step] @ b[p : p + step, j : j + step]
    return Tensor(C)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# A slice may end beyond the array: NumPy cuts it off. Ragged edges need no special case.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# `matmul_operands(A, B)` checks both shapes and returns the arrays; `positive_int("block_size",
# block_size)` checks the block. Start from zeros of the right dtype. Three loops with the step
# block_size, over rows, columns and the inner dimension.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# Inside the three loops:
# `C[i:i+s, j:j+s] += a[i:i+s, p:p+s] @ b[p:p+s, j:j+s]`.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_cache_friendly_matmul", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
def check_cache_friendly_matmul():
    rng = np.random.default_rng(3)
    A = rng.integers(-4, 5, (64, 64)).astype(np.float32)
    B = rng.integers(-4, 5, (64, 64)).astype(np.float32)
    cause = "does every tile of A meet every matching tile of B, and is the sum kept?"
    expect_tensor(cache_friendly_matmul(Tensor(A), Tensor(B)), A @ B, cause)
    cause = "65 rows and block_size 16: is the last, ragged block skipped?"
    A65 = np.vstack([A, A[:1]])
    expect_tensor(cache_friendly_matmul(A65, B, block_size=16), A65 @ B, cause)
    expect_error(
        ValueError,
        cache_friendly_matmul,
        A,
        B,
        block_size=0,
        mentions=("0",),
        cause="a block needs at least one row",
    )


check_cache_friendly_matmul()


# %% nbgrader={"grade": true, "grade_id": "test_cache_friendly_matmul_hidden", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of cache_friendly_matmul: ragged, empty and large shapes, dtypes, memory orders.
### BEGIN HIDDEN TESTS
def check_cache_friendly_matmul_hidden():
    rng = np.random.default_rng(14)
    for m, k, n in [(1, 1, 1), (33, 31, 35), (2, 70, 3), (5, 0, 4), (0, 3, 2), (40, 8, 8)]:
        for block in (1, 7, 32, 1000):
            A = rng.integers(-4, 5, (m, k)).astype(np.float64)
            B = rng.integers(-4, 5, (k, n)).astype(np.float64)
            kept = A.copy(), B.copy()
            cause = f"shapes {(m, k)} and {(k, n)}, block_size {block}"
            expect_tensor(cache_friendly_matmul(A, B, block), A @ B, cause)
            expect_unchanged(A, kept[0], "A")
            expect_unchanged(B, kept[1], "B")
    A, B = rng.integers(-4, 5, (20, 9)), rng.integers(-4, 5, (9, 11)).astype(np.float32)
    for a, b in [(A.astype(np.float32), B), (A, B), (np.asfortranarray(A), B[:, ::-1])]:
        got = cache_friendly_matmul(a, b, block_size=4)
        expect_tensor(got, a @ b, f"{a.dtype} with {b.dtype}: result_type decides the dtype")
    cause = "sums in the dtype of the result"
    A, B = rng.standard_normal((9, 40)), rng.standard_normal((40, 7))
    expect_tensor(cache_friendly_matmul(A, B, 16), A @ B, cause, rtol=1e-9, atol=1e-9)
    A, B = (rng.integers(-99, 100, s).astype(np.float32) for s in ((9, 40), (40, 7)))
    expect_tensor(cache_friendly_matmul(A, B, 16), A @ B, cause)


check_cache_friendly_matmul_hidden()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_cache_friendly_matmul_hidden_errors", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of cache_friendly_matmul: bad arguments.
### BEGIN HIDDEN TESTS
def check_cache_friendly_matmul_errors():
    A, B = np.ones((2, 3), np.float32), np.ones((3, 2), np.float32)
    for bad in (0, -1, -32):
        expect_error(
            ValueError,
            cache_friendly_matmul,
            A,
            B,
            bad,
            mentions=(str(bad),),
            cause="block_size < 1 must be refused",
        )
    for a, b in [(A, A), (A[0], B), (A, B[None]), (B, B)]:
        expect_error(
            ValueError,
            cache_friendly_matmul,
            a,
            b,
            mentions=(str(a.shape), str(b.shape)),
            cause="shapes that do not fit must be refused before any work",
        )


check_cache_friendly_matmul_errors()
### END HIDDEN TESTS


# %% [markdown]
# **Guess.** Which block size will be fastest for two 512 by 512 float32 matrices? The table above
# says what each needs; the picture before it says what your caches hold.

# %%
my_guess = None  # block_size


# %% tags=["ungraded"]
A, B = rng.standard_normal((2, 512, 512), dtype=np.float32)
blocks = [16, 32, 64, 128, 256]
contestants = {b: partial(cache_friendly_matmul, A, B, block_size=b) for b in blocks}
times = race(contestants | {"numpy @": lambda: A @ B}, rounds=7)
numpy_time = statistics.median(times.pop("numpy @"))
slower = [statistics.median(times[b]) / numpy_time for b in blocks]
best_block = blocks[slower.index(min(slower))]
lines(
    {"tiles": (blocks, slower), "numpy @": (blocks, [1.0] * len(blocks))},
    xlabel="block_size",
    ylabel="time, in units of numpy @",
    caption=f"Fastest at {best_block}, {3 * best_block**2 * 4 / 1024:.0f} KiB in three tiles.",
    guess=my_guess,
)

# %% [markdown]
# Two effects share this picture. Small tiles pay for a NumPy call on very little work. Large
# tiles leave the work to BLAS, which cuts them into tiles of its own. In NumPy the first effect
# is the larger one: the curve says more about calls than about caches.
#
# **Optimize.** Choose the `block_size` that you would make the default on this machine, and run
# the cell again with matrices of 1,000 by 1,000. Does your choice hold?


# %% tags=["ungraded"]
def test_cache_friendly_matmul():
    check_cache_friendly_matmul()
    print("Step 3: the visible tests pass.")


test_cache_friendly_matmul()

# %% [markdown]
# ## Step 4. GPU-style parallel computing
#
# A GPU runs one small program on many elements at once: cut the work into pieces that do not
# depend on each other, give each worker its pieces, wait for all. Threads on CPU cores follow the
# same pattern with fewer, stronger workers.
#
# ### parallel_relu
#
# **What limits it.** NumPy lets go of Python's lock while it works, so threads do run side by
# side. What they share is the way to memory, and ReLU uses little else. Starting and awaiting a
# thread takes time as well; the ReLU picture of step 2 says how many elements one core handles
# in that time.
#
# ```
# x    | piece 0 | piece 1 | piece 2 | piece 3 |      pieces of one array, no copies
#          |         |         |         |
#       thread 0  thread 1  thread 2  thread 3        at most num_workers
#          |         |         |         |
# out  | piece 0 | piece 1 | piece 2 | piece 3 |      each writes its own piece
# ```


# %% nbgrader={"grade": false, "grade_id": "parallel_relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def parallel_relu(x: ArrayLike, num_workers: int = 4) -> Tensor:
    """ReLU by up to `num_workers` threads, each on its own piece of x. About ten lines.

    x: as in `vectorized_relu`, and so is the result. Small arrays may be done by one thread;
    for a large x and num_workers >= 2 at least two threads share the work, never more than
    num_workers. num_workers < 1: ValueError.

    >>> parallel_relu([-1.0, 2.0], num_workers=8).data
    array([0., 2.], dtype=float32)
    """
    ### BEGIN SOLUTION
    values = as_array(x)
    zero = values.dtype.type(0)
    smallest_share = 32_768  # elements; less work than this costs less than a thread's start
    workers = min(positive_int("num_workers", num_workers), values.size // smallest_share)
    if workers < 2:
        return Tensor(np.maximum(values, zero))
    out = np.empty_like(values, dtype=values.dtype.newbyteorder("="))
    axis = int(np.argmax(values.shape))  # pieces along the longest axis: views in any memory order
    sources, targets = (np.array_split(a, workers, axis) for a in (values, out))

    def relu_into(source: np.ndarray, target: np.ndarray) -> None:
        np.maximum(source, zero, out=target)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(relu_into, sources, targets))  # list() waits, and raises what a thread raised
    return Tensor(out)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# Threads see the same memory. A ufunc can write straight into a piece of the result: `out=`.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Check `num_workers` with `positive_int`. Take the array with `as_array(x)` and make an empty one
# like it. Split both with `np.array_split`, along their longest axis or flat; it accepts more
# pieces than elements. Map over the pairs of pieces with a `ThreadPoolExecutor(num_workers)`.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `with ThreadPoolExecutor(n) as pool: list(pool.map(relu_into, sources, targets))`, where
# `relu_into(source, target)` calls `np.maximum(source, zero, out=target)` with a zero of the
# array's dtype. A 0-d array cannot be split: for it, and for anything small, one `np.maximum` is
# enough.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_parallel_relu", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
def check_parallel_relu():
    x = np.random.default_rng(4).standard_normal(200_003, dtype=np.float32)
    before = x.copy()
    cause = "are all pieces done, the last one too, and in order?"
    for workers in (1, 2, 3, 4):
        expect_tensor(parallel_relu(Tensor(x), workers), np.maximum(x, 0), cause)
    expect_unchanged(x, before, "x")
    cause = "more workers than elements: some pieces are empty"
    expect_tensor(parallel_relu(x[:3], num_workers=16), np.maximum(x[:3], 0), cause)
    expect_error(
        ValueError,
        parallel_relu,
        x,
        num_workers=0,
        mentions=("0",),
        cause="somebody has to do the work",
    )


check_parallel_relu()


# %% nbgrader={"grade": true, "grade_id": "test_parallel_relu_hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of parallel_relu: any shape, dtype and memory order, NaN and infinities.
### BEGIN HIDDEN TESTS
def check_parallel_relu_hidden():
    rng = np.random.default_rng(15)
    for shape in [(), (0,), (5,), (2, 0, 3), (3, 70_000), (70_000, 3), (41, 43, 47)]:
        for dtype in (np.float16, np.float32, np.float64, np.int8, np.int64):
            x = np.asarray(rng.integers(-9, 10, shape)).astype(dtype)
            before = x.copy()
            expected = np.asarray(np.where(x > 0, x, 0), dtype=dtype)
            expect_tensor(parallel_relu(x, 3), expected, f"shape {shape}, {x.dtype}")
            expect_unchanged(x, before, "x")
    x = rng.standard_normal(70_001)
    expect_tensor(parallel_relu(x, 3), np.maximum(x, 0), "float64 stays float64 all the way")
    x = rng.standard_normal((500, 601), dtype=np.float32)
    x[::7, 3] = np.nan
    x[1::5, 8] = -np.inf
    for view in (x.T, x[::2, ::3], np.asfortranarray(x), x[::-1]):
        expect_tensor(parallel_relu(view, 4), np.maximum(view, 0), "a view, with NaN and -inf")


check_parallel_relu_hidden()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_parallel_relu_hidden_errors", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of parallel_relu: bad arguments.
### BEGIN HIDDEN TESTS
def check_parallel_relu_errors():
    for x in (np.ones(4, np.float32), np.ones(300_000, np.float32)):
        for bad in (0, -1, -4):
            expect_error(
                ValueError,
                parallel_relu,
                x,
                bad,
                mentions=(str(bad),),
                cause="num_workers < 1 must be refused, for small arrays too",
            )


check_parallel_relu_errors()
### END HIDDEN TESTS


# %% [markdown]
# **Guess.** With twice the workers, does ReLU of ten million elements take half of the time?
# Write how many times faster than `vectorized_relu` the best number of workers will be.

# %%
my_guess = None  # times faster than vectorized_relu


# %% tags=["ungraded"]
x = rng.standard_normal(10_000_000, dtype=np.float32)
crew = [1, 2, 4, 8]
contestants = {w: partial(parallel_relu, x, num_workers=w) for w in crew}
times = race(contestants | {"vectorized_relu": lambda: vectorized_relu(x)}, rounds=9)
alone = statistics.median(times.pop("vectorized_relu"))
faster = [alone / statistics.median(times[w]) for w in crew]
ideal = [min(w, os.cpu_count()) for w in crew]
lines(
    {"parallel_relu": (crew, faster), "if only cores counted": (crew, ideal)},
    xlabel=f"num_workers (this machine has {os.cpu_count()} cores)",
    ylabel="times faster than vectorized_relu",
    caption=f"At best {max(faster):.1f} times, with {crew[faster.index(max(faster))]} workers.",
    guess_y=my_guess,
)

# %% [markdown]
# Below the dashed line, the workers wait for each other or for memory. More workers than cores
# cannot add anything but turns.
#
# **Optimize.** Run the cell again with 30,000 and with 300,000 elements. From which size on do two
# workers pay?

# %% [markdown]
# ### parallel_batch_processing
#
# **What limits it.** The slowest item, and Python's global interpreter lock: only one thread at a
# time may run Python code. An operation that spends its time inside NumPy gives the lock away; a
# Python loop keeps it.
#
# | operation | holds the lock | two threads on two cores |
# |---|---|---|
# | NumPy on a large array | hardly | side by side |
# | a Python loop | always | one after the other |
# | waiting for a file or a network | never | side by side |


# %% nbgrader={"grade": false, "grade_id": "parallel_batch_processing", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def parallel_batch_processing(
    batch_data: Iterable[Any],
    operation: Callable[[Any], Any],
    num_workers: int = 4,
    executor: Executor | None = None,
) -> list[Any]:
    """[operation(item) for item in batch_data], `num_workers` at the same time. Five lines.

    Results come in the order of the items. An exception of `operation` propagates; an empty
    batch gives []. num_workers < 1: ValueError. `executor` (not graded) is any
    `concurrent.futures.Executor` that runs the operations, still num_workers at a time.

    >>> parallel_batch_processing([1, 2, 3], lambda v: v * v, num_workers=2)
    [1, 4, 9]
    """
    ### BEGIN SOLUTION
    workers = positive_int("num_workers", num_workers)
    if not callable(operation):
        raise TypeError(f"operation must be callable, got {type(operation).__name__}")
    if not isinstance(executor, Executor | None):
        raise TypeError(f"executor must be an Executor, got {type(executor).__name__}")
    items = list(batch_data)
    if executor is not None:
        return _bounded_map(executor, operation, items, workers)
    with ThreadPoolExecutor(workers) as pool:
        return _bounded_map(pool, operation, items, workers)


def _bounded_map(
    executor: Executor, operation: Callable[[Any], Any], items: list[Any], limit: int
) -> list[Any]:
    """Like `executor.map`, with at most `limit` operations submitted and not yet done."""
    results: list[Any] = [None] * len(items)
    pending: dict[futures.Future[Any], int] = {}
    try:
        for index, item in enumerate(items):
            if len(pending) == limit:
                for done in futures.wait(pending, return_when=futures.FIRST_COMPLETED).done:
                    results[pending.pop(done)] = done.result()
            pending[executor.submit(operation, item)] = index
        for future, index in pending.items():
            results[index] = future.result()
    finally:
        for future in pending:
            future.cancel()
    return results
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# `concurrent.futures` has all of it: a pool that never runs more than its size at once, and a map
# that keeps the order.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Check `num_workers`. Open a `ThreadPoolExecutor` of that size in a `with` block. Map the
# operation over the items. Reading the results raises what an operation raised.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `with ThreadPoolExecutor(workers) as pool: return list(pool.map(operation, batch_data))`
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_parallel_batch_processing", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
def check_parallel_batch_processing():
    batch = [Tensor(np.full(3, v, dtype=np.float32)) for v in range(7)]
    got = parallel_batch_processing(batch, lambda t: float(t.data.sum()), num_workers=3)
    expected = [0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0]
    assert got == expected, f"got {got}, expected {expected}: are the results in input order?"
    got = parallel_batch_processing([], abs)
    assert got == [], f"got {got} for an empty batch, expected []"
    expect_error(
        ValueError,
        parallel_batch_processing,
        batch,
        lambda t: t,
        num_workers=0,
        mentions=("0",),
        cause="somebody has to do the work",
    )


check_parallel_batch_processing()


# %% nbgrader={"grade": true, "grade_id": "test_parallel_batch_processing_hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of parallel_batch_processing: order, exceptions, bad arguments.
### BEGIN HIDDEN TESTS
def check_parallel_batch_processing_hidden():
    items = list(range(40))
    for workers in (1, 2, 4, 50):
        got = parallel_batch_processing(items, lambda v: v * v, workers)
        assert got == [v * v for v in items], f"got {got} with {workers} workers: order lost?"

    def fails_on_three(v):
        if v == 3:
            raise KeyError("three")
        return v

    cause = "an exception of the operation must reach the caller"
    expect_error(
        KeyError, parallel_batch_processing, items, fails_on_three, mentions=("three",), cause=cause
    )
    for bad in (0, -2):
        expect_error(
            ValueError,
            parallel_batch_processing,
            [],
            abs,
            bad,
            mentions=(str(bad),),
            cause="num_workers < 1 must be refused, for an empty batch too",
        )


check_parallel_batch_processing_hidden()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_parallel_batch_processing_hidden_concurrency", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of parallel_batch_processing: how many operations really run at the same time.
### BEGIN HIDDEN TESTS
def check_parallel_batch_processing_concurrency():
    import threading  # here, since an answer may have used the name for something else

    for workers in (2, 3):
        together = threading.Barrier(workers)  # opens only for `workers` threads at once
        lock, one_too_many = threading.Lock(), threading.Event()
        inside = most = 0

        def meet(item, together=together, workers=workers, lock=lock, extra=one_too_many):
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
                if inside > workers:
                    extra.set()
            together.wait(timeout=5)
            extra.wait(timeout=0.05)  # leaves a further thread the time to show up
            with lock:
                inside -= 1
            return item

        try:
            got = parallel_batch_processing(list(range(4 * workers)), meet, num_workers=workers)
        except threading.BrokenBarrierError:
            raise AssertionError(
                f"num_workers={workers}, but never {workers} operations at the same time: "
                "are they run one after the other?"
            ) from None
        assert got == list(range(4 * workers)), f"got {got}: order lost?"
        assert most == workers, (
            f"num_workers={workers}, but {most} operations at the same time: "
            "is num_workers handed to the pool?"
        )


check_parallel_batch_processing_concurrency()
### END HIDDEN TESTS


# %% [markdown]
# **Guess.** Two operations that take one thread about the same time: a Python loop, and NumPy
# calls. How many times faster than one worker are two workers, for the NumPy operation?

# %%
my_guess = None  # times faster with two workers, NumPy operation


# %% tags=["ungraded"]
def python_work(item):
    return sum(i * i for i in range(60_000))


def numpy_work(item):
    return float(np.exp(numbers).sum())


numbers = rng.standard_normal(1_000_000)
work = {"Python loop": python_work, "NumPy calls": numpy_work}
contestants = {
    (name, w): partial(parallel_batch_processing, range(4), operation, num_workers=w)
    for name, operation in work.items()
    for w in (1, 2)
}
times = race(contestants, rounds=7)
medians = {key: statistics.median(seconds) for key, seconds in times.items()}
gain = {name: medians[name, 1] / medians[name, 2] for name in work}
caption = ", ".join(f"{name}: {gain[name]:.1f} times faster with two workers" for name in work)
bars(
    {f"{name}, {w} worker{'s' * (w > 1)}": times[name, w] for name, w in times},
    "Four items, one and two workers",
    caption=f"{caption}.{you_guessed(my_guess)}",
)

# %% [markdown]
# Where two workers do not help the Python loop, it is the interpreter lock that they wait for.
# Where they do not help NumPy either, count your cores, and ask what else is using them.
#
# **Optimize.** Make `numbers` a hundred times smaller. Why do two workers now help NumPy less?


# %% tags=["ungraded"]
def test_parallel_processing():
    check_parallel_relu()
    check_parallel_batch_processing()
    print("Step 4: the visible tests pass.")


test_parallel_processing()

# %% [markdown] nbgrader={"grade": false, "grade_id": "question_threads", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Written question 2
#
# A colleague runs `parallel_relu` with 64 workers on 2,000 elements, on a machine with 8 cores,
# and finds it far slower than `vectorized_relu`. Name two costs that the extra workers bring, and
# say which measurements of this notebook you would repeat, and how, to find the size from which
# two workers pay. At most ten lines.

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer_threads", "locked": false, "points": 5, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Starting and joining threads costs microseconds for each, and more threads than cores only take
# turns (with switches, and each with cold caches). The ReLU picture gives the time per element:
# 2,000 elements take about a microsecond, far below one thread's start. Two workers pay from the
# size at which half of the serial time exceeds the start of a pool, if memory bandwidth allows.
# ### END SOLUTION

# %% [markdown]
# ## Step 5. Performance profiling
#
# ### SimpleProfiler
#
# **What limits it.** A measurement is disturbed by everything else that the machine does: other
# programs, garbage collection, the first call's page faults. Nearly all of it adds time. One run
# tells little; the mean follows the worst run; the median and the minimum hold still.
#
# | trap | way out |
# |---|---|
# | the first call pays for imports, caches, memory pages | warm up before timing |
# | `time.time` may jump | `time.perf_counter` only goes forward |
# | the garbage collector runs when it likes | hold it off while timing |
# | `tracemalloc` slows every allocation | measure memory in a pass of its own |


# %% nbgrader={"grade": false, "grade_id": "SimpleProfiler", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class SimpleProfiler:
    """Times a function and measures its memory. The options belong to the constructor.

    repeats: timed calls. warmup: calls before them that are not timed. Both at least 1.
    """

    def __init__(self, repeats: int = 15, warmup: int = 2) -> None:
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> tuple[Any, dict[str, float]]:
        """Returns (result, metrics) of fn(*args, **kwargs). About 25 lines.

        metrics: `wall_time` (median, seconds), `min_time`, `cpu_time` (median), `repeats`,
        `peak_memory` (bytes, from a call of its own that is not timed). The garbage collector
        is off during the timed calls; it and tracemalloc are left as they were, whatever fn
        raises (a caller's own tracing goes on, and slows them). All of kwargs go to fn.
        """
        ### BEGIN SOLUTION
        before = gc.isenabled(), tracemalloc.is_tracing()
        try:
            for _ in range(self.warmup):
                fn(*args, **kwargs)
            result, wall, cpu = self._time(fn, args, kwargs)
            self._restore(*before)
            peak = self._peak_memory(fn, args, kwargs)
        finally:
            self._restore(*before)
        lower, _, upper = statistics.quantiles(wall, n=4) if len(wall) > 1 else wall * 3
        return result, {
            "wall_time": statistics.median(wall),
            "min_time": min(wall),
            "iqr": upper - lower,
            "cpu_time": statistics.median(cpu),
            "repeats": self.repeats,
            "peak_memory": peak,
        }

    @staticmethod
    def _restore(collecting: bool, tracing: bool) -> None:
        """Put the collector and tracemalloc back, whatever fn did to them."""
        (gc.enable if collecting else gc.disable)()
        if tracing != tracemalloc.is_tracing():
            (tracemalloc.start if tracing else tracemalloc.stop)()

    def _time(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, list[float], list[float]]:
        """The last result, and the wall and processor seconds of every timed call."""
        result, wall, cpu = None, [], []
        for _ in range(self.repeats):
            gc.disable()  # each time: fn may have switched it on
            result = None  # free the last result first, as a caller's loop would
            cpu_start, wall_start = time.process_time(), time.perf_counter()
            result = fn(*args, **kwargs)
            wall_end, cpu_end = time.perf_counter(), time.process_time()
            wall.append(wall_end - wall_start)
            cpu.append(cpu_end - cpu_start)
        return result, wall, cpu

    @staticmethod
    def _peak_memory(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        """Bytes allocated at the highest point of one call, beyond those before it."""
        if not tracemalloc.is_tracing():
            tracemalloc.start()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        fn(*args, **kwargs)
        return tracemalloc.get_traced_memory()[1] - before
        ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# Three passes: warm up, time, trace. What has been switched on or off must be switched back even
# when fn raises: `try ... finally`.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Call fn `warmup` times. Remember `gc.isenabled()`, then `gc.disable()`. For each repeat read
# `time.process_time()` and `time.perf_counter()` before and after, and keep the differences.
# Restore the collector. Then `tracemalloc.start()`, one call, `get_traced_memory()[1]`, `stop()`.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `start = time.perf_counter(); result = fn(*args, **kwargs); wall.append(time.perf_counter() -
# start)` inside the loop, `statistics.median(wall)` and `min(wall)` after it.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_SimpleProfiler", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
def check_SimpleProfiler():
    calls = []

    def work(n, *, repeats=1, warmup=1):  # options of fn's own: they are fn's, not the profiler's
        calls.append((n, repeats, warmup))
        return n * repeats * warmup

    result, metrics = SimpleProfiler().profile(work, 7, repeats=2, warmup=3)
    assert result == 42, f"got the result {result}, expected 42: are kwargs handed to fn?"
    keys = {"wall_time", "min_time", "cpu_time", "repeats", "peak_memory"}
    assert keys <= set(metrics), f"metrics lacks {sorted(keys - set(metrics))}"
    assert set(calls) == {(7, 2, 3)}, f"fn was called with {set(calls)}: all kwargs are fn's"
    least = metrics["repeats"] + 2
    assert len(calls) >= least, (
        f"fn was called {len(calls)} times for {metrics['repeats']} repeats, expected at least "
        f"{least}: a warm-up before the timed calls, and a call of its own for the memory"
    )
    least, median = metrics["min_time"], metrics["wall_time"]
    assert 0 <= least <= median, f"min_time {least} and wall_time {median}: a median is no less"


check_SimpleProfiler()


# %% nbgrader={"grade": true, "grade_id": "test_SimpleProfiler_hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of SimpleProfiler: which clock reading becomes which number.
### BEGIN HIDDEN TESTS
def check_SimpleProfiler_times():
    import statistics
    import time  # here, since an answer may have used the name for something else

    slow = 0.06  # seconds; one call among many quick ones
    own = []  # what each call took by its own clock

    def mostly_quick():
        start = time.perf_counter()
        until = start + (slow if len(own) == 4 else 20e-6)
        while time.perf_counter() < until:
            pass
        own.append(time.perf_counter() - start)

    _, metrics = SimpleProfiler().profile(mostly_quick)
    assert metrics["min_time"] >= min(own), (
        f"min_time is {metrics['min_time']} s, but no call took less than {min(own)} s: "
        "seconds, from time.perf_counter?"
    )
    assert metrics["min_time"] < slow, "min_time is that of the slowest call"
    # The mean of the repeats cannot be less than slow / repeats.
    limit = max(slow / metrics["repeats"], 2 * statistics.median(own))
    assert metrics["wall_time"] < limit, (
        f"wall_time is {metrics['wall_time']} s where all calls but one took about 20 "
        "microseconds: the median ignores one slow call, the mean does not"
    )


def check_SimpleProfiler_order():
    import statistics
    import time

    own = []  # each call takes longer than the one before: median, minimum and last call differ

    def ramp():
        start = time.perf_counter()
        until = start + 0.0003 * (len(own) + 1)
        while time.perf_counter() < until:
            pass
        own.append(time.perf_counter() - start)

    _, metrics = SimpleProfiler().profile(ramp)
    if metrics["repeats"] >= 4:
        least = statistics.median(sorted(own)[: metrics["repeats"]])
        most = statistics.median(sorted(own)[-metrics["repeats"] :]) + 0.001
        assert least <= metrics["wall_time"] <= most, (
            f"wall_time is {metrics['wall_time']} s, the median lies between {least} and {most} s:"
            " neither the minimum nor the last call"
        )


check_SimpleProfiler_times()
check_SimpleProfiler_order()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_SimpleProfiler_hidden_effects", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of SimpleProfiler: what it switches on or off, and what it leaves behind.
### BEGIN HIDDEN TESTS
def check_SimpleProfiler_effects():
    import gc
    import tracemalloc

    states = []

    def observe(fail=False):
        states.append((gc.isenabled(), tracemalloc.is_tracing()))
        if fail:
            raise OSError("from fn")
        return np.ones(250_000)

    _, metrics = SimpleProfiler().profile(observe)
    quiet = states.count((False, False))
    assert quiet >= metrics["repeats"], (
        f"{quiet} of the calls ran without collector and tracing, expected {metrics['repeats']}"
    )
    assert 2_000_000 <= metrics["peak_memory"] < 4_000_000, (
        f"peak_memory is {metrics['peak_memory']}, fn allocates 2,000,000 bytes: a pass of its own?"
    )
    _, metrics = SimpleProfiler().profile(lambda: float(np.ones(250_000).sum()))
    assert metrics["peak_memory"] >= 2_000_000, "the peak is not what is left at the end"
    cause = "what fn raises belongs to the caller"
    profile = SimpleProfiler().profile
    expect_error(OSError, profile, observe, fail=True, mentions=("from fn",), cause=cause)
    assert gc.isenabled(), "the garbage collector was left off"
    assert not tracemalloc.is_tracing(), "tracemalloc was left running"


check_SimpleProfiler_effects()
### END HIDDEN TESTS


# %% [markdown]
# **Guess.** Two hundred runs of one ReLU of 10,000 elements. How many times longer than the
# fastest will the slowest take?

# %%
my_guess = None  # slowest divided by fastest


# %% tags=["ungraded"]
x = rng.standard_normal(10_000, dtype=np.float32)
times = race({"vectorized_relu": lambda: vectorized_relu(x)}, rounds=200, number=1)
times = times["vectorized_relu"]
histogram(times, "200 runs of one ReLU, 10,000 elements", guess=my_guess)
_, metrics = SimpleProfiler(repeats=200).profile(vectorized_relu, x)
print(f"SimpleProfiler: median {metrics['wall_time'] * 1e6:.1f}, ", end="")
print(f"minimum {metrics['min_time'] * 1e6:.1f} microseconds")

# %% [markdown]
# The same code, the same data. Whoever reports one run reports the state of the machine.
#
# **Optimize.** Which of `min_time` and `wall_time` would you compare two kernels by, and which
# would you promise to a user who waits? Run the cell again while a video plays.


# %% tags=["ungraded"]
def test_performance_profiling():
    check_SimpleProfiler()
    print("Step 5: the visible tests pass.")


test_performance_profiling()

# %% [markdown]
# ## Step 6. Compressed-model kernels
#
# The compression module turned float32 weights into int8 levels and a scale: `x` is about
# `q * scale`. An int8 model needs a quarter of the bytes. It is faster only if the kernel works
# on the levels themselves, and it is right only if no sum overflows on the way.
#
# ### quantized_matmul
#
# **What limits it.** One product of two int8 levels is at most 16,384, a sum of K of them K times
# that. An int8 sum can wrap around at the first product, an int16 sum at the second.
#
# | accumulator | holds every integer up to | largest safe K (products of up to 16,384) |
# |---|---|---|
# | int8 | 127 | 0 |
# | int16 | 32,767 | 1 |
# | float32 | 16,777,216 | 1,024 |
# | int32 | 2,147,483,647 | 131,071 |
#
# The third row is why a float32 product of whole numbers can be exact, and when it stops.


# %% nbgrader={"grade": false, "grade_id": "quantized_matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def quantized_matmul(
    A: ArrayLike, B: ArrayLike, scale_A: float = 1.0, scale_B: ArrayLike = 1.0
) -> Tensor:
    """Product of int8 levels with exact integer sums, as float32 (m, n). About ten lines.

    A: (m, k), B: (k, n). Levels are clip(round(x / scale), -128, 127); int8 inputs are levels
    already. Result: the exact sums (K up to 100,000) times scale_A * scale_B. scale_B may be a
    vector, one scale per column. ValueError: a scale that is not finite and > 0; shapes.

    >>> quantized_matmul([[0.5, 9.0]], [[1.0], [1.0]], scale_A=0.25, scale_B=1.0).data
    array([[9.5]], dtype=float32)
    """
    ### BEGIN SOLUTION
    a, b = matmul_operands(A, B)
    factor = check_scale("scale_A", scale_A) * check_scale("scale_B", scale_B, columns=b.shape[1])
    # Levels are whole numbers, and BLAS multiplies those in float32 far faster than in integers.
    qa, qb = quantize(a, scale_A, np.float32), quantize(b, scale_B, np.float32)
    sums = _exact_product(qa, qb)
    out = sums if sums.dtype == np.float32 else np.empty(sums.shape, np.float32)
    # float64 on the way, in pieces: the result is rounded once, and no float64 array is made.
    with np.errstate(all="ignore"):  # beyond float32 a result is an infinity or zero
        np.multiply(sums, factor, out=out, dtype=np.float64, casting="same_kind")
    return Tensor(out)


def _exact_product(qa: np.ndarray, qb: np.ndarray) -> np.ndarray:
    """Exact product of int8 levels that are held in float32.

    Up to K = 1,024 no sum exceeds 1,024 * 128 * 128 = 2**24, below which float32 holds every
    integer. Longer sums are taken in pieces of that length and added in float64.
    """
    exact = 2**24 // 128**2
    if qa.shape[1] <= exact:
        return qa @ qb
    sums = np.zeros((qa.shape[0], qb.shape[1]))
    for p in range(0, qa.shape[1], exact):
        sums += qa[:, p : p + exact] @ qb[p : p + exact]
    return sums
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# `quantize(x, scale)` from the compression module makes the levels. NumPy multiplies int8 arrays
# in int8: what has to happen to them first?
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Shapes with `matmul_operands`, scales with `check_scale("scale_A", scale_A)` and
# `check_scale("scale_B", scale_B, columns=n)`. Quantize both. Multiply in int32 or wider. Scale
# the sums and convert to float32. (NumPy's integer products are slow; the table above shows a
# faster way that is exact as well.)
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `sums = quantize(a, scale_A).astype(np.int32) @ quantize(b, scale_B).astype(np.int32)`, then
# `Tensor((sums * (scale_A * scale_B)).astype(np.float32))`.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_quantized_matmul", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
def check_quantized_matmul():
    A = np.array([[0.5, -1.0, 0.24]], dtype=np.float32)
    B = np.array([[2.0], [4.0], [8.0]], dtype=np.float32)
    expected = np.array([[-1.0]], dtype=np.float32)
    cause = "the levels of A are 2, -4, 1 (rounded), their sum -2, and scale_A * scale_B is 0.5"
    expect_tensor(quantized_matmul(Tensor(A), Tensor(B), 0.25, 2.0), expected, cause)
    q = np.full((1, 300), 127, dtype=np.int8)
    expected = np.array([[300 * 127 * 127]], dtype=np.float32)
    cause = "a sum of int8 products needs an accumulator of at least 32 bits"
    expect_tensor(quantized_matmul(q, q.T), expected, cause)
    loud = np.array([[1000.0, -1000.0]], dtype=np.float32)
    cause = "beyond the last level a value saturates at 127 or -128, it does not wrap around"
    expect_tensor(quantized_matmul(loud, np.eye(2)), np.float32([[127, -128]]), cause)


check_quantized_matmul()


# %% nbgrader={"grade": true, "grade_id": "test_quantized_matmul_hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of quantized_matmul: exact long sums, scales per column, shapes and dtypes.
### BEGIN HIDDEN TESTS
def check_quantized_matmul_hidden():
    rng = np.random.default_rng(16)
    for m, k, n in [(1, 1, 1), (5, 33, 7), (3, 0, 2), (2, 1025, 3), (2, 100_000, 2)]:
        A = rng.integers(60, 128, (m, k)).astype(np.int8)
        B = rng.integers(60, 128, (k, n)).astype(np.int8)
        B[k // 2 :] *= -1  # the second half takes the sum back from beyond 2**24
        kept = A.copy()
        exact = A.astype(np.int64) @ B.astype(np.int64)
        cause = f"K = {k}: every partial sum must be exact"
        expect_tensor(quantized_matmul(A, B), exact.astype(np.float32), cause)
        expect_unchanged(A, kept, "A")
    A, B = np.array([[10, -20, 127]], np.int8), np.array([[3], [-128], [7]], np.int8)
    kept = A.copy(), B.copy()
    expected = np.float32([[(30 + 2560 + 889) * 0.5 * 0.25]])
    cause = "int8 inputs are levels already: the scales belong to the result only"
    expect_tensor(quantized_matmul(A, B, 0.5, 0.25), expected, cause)
    expect_unchanged(A, kept[0], "A")
    expect_unchanged(B, kept[1], "B")
    A, B = rng.standard_normal((9, 20)), rng.standard_normal((20, 4)).astype(np.float32)
    scales = np.array([0.5, 0.01, 0.02, 0.1])
    qa = np.clip(np.round(A / 0.02), -128, 127)
    qb = np.clip(np.round(B / scales), -128, 127)
    expected = (qa @ qb * (0.02 * scales)).astype(np.float32)
    got = quantized_matmul(A, B, scale_A=0.02, scale_B=scales)
    expect_tensor(got, expected, "one scale per column of B", rtol=1e-6)


check_quantized_matmul_hidden()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_quantized_matmul_hidden_errors", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of quantized_matmul: bad arguments.
### BEGIN HIDDEN TESTS
def check_quantized_matmul_errors():
    A, B = np.ones((2, 3), np.float32), np.ones((3, 4), np.float32)
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        for scales in ((bad, 1.0), (1.0, bad), (1.0, [1.0, 1.0, bad, 1.0])):
            cause = "a scale must be finite and greater than zero"
            expect_error(ValueError, quantized_matmul, A, B, *scales, cause=cause)
    cause = "a vector of scales has one entry per column of B"
    for scale_B in ([1.0, 1.0, 1.0], [1.0]):
        expect_error(ValueError, quantized_matmul, A, B, 1.0, scale_B, cause=cause)
    shapes = "(2, 3)", "(4, 3)"
    cause = "the inner dimensions 3 and 4 differ"
    expect_error(ValueError, quantized_matmul, A, B.T, mentions=shapes, cause=cause)


check_quantized_matmul_errors()
### END HIDDEN TESTS


# %% [markdown]
# **Guess.** A small scale cuts off the large values, a large scale blurs the small ones. For
# numbers drawn from a standard normal distribution, which scale gives the smallest error of the
# product? (127 times the scale is the largest value that is not cut off.)

# %%
my_guess = None  # scale


# %% tags=["ungraded"]
A, B = rng.standard_normal((2, 256, 256), dtype=np.float32)
scales = np.geomspace(0.001, 0.2, 25)
exact = A @ B
errors = [np.std(quantized_matmul(A, B, s, s).data - exact) / np.std(exact) for s in scales]
best_scale = scales[int(np.argmin(errors))]
lines(
    {"quantized_matmul": (scales, [100 * e for e in errors])},
    xlabel="scale of both matrices",
    ylabel="error, percent of the product's spread",
    caption=f"Least error {100 * min(errors):.2g} % at {best_scale:.3f}: values up to "
    f"{127 * best_scale:.1f} are kept.",
    guess=my_guess,
)

# %% [markdown]
# Left of the lowest point values are cut off at the last level, right of it rounding takes over.
#
# **Optimize.** Put one value of 100 into A and run the cell again. What does a single outlier do
# to the best scale, and to the error of everything else?

# %% [markdown]
# ### quantized_relu
#
# **What limits it.** Bytes again, and there are a quarter as many. On levels, ReLU is one integer
# comparison, and zero is a level of its own: nothing is lost that quantization had kept.
#
# | x, at scale 1/127 | level | after ReLU | as float32 |
# |---|---|---|---|
# | -0.5 | -64 | 0 | 0.0 |
# | 0.5 | 64 | 64 | 0.504 |
# | 2.0 | 127 (saturated) | 127 | 1.0 |


# %% nbgrader={"grade": false, "grade_id": "quantized_relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def quantized_relu(x: ArrayLike, scale: float = 1.0) -> Tensor:
    """max(q, 0) * scale as float32, with q the int8 levels of x. About four lines.

    x: any shape. q = clip(round(x / scale), -128, 127); int8 input is levels already. A scale
    that is not finite and > 0: ValueError.

    >>> quantized_relu([-1.0, 0.6, 300.0], scale=0.5).data
    array([ 0. ,  0.5, 63.5], dtype=float32)
    """
    ### BEGIN SOLUTION
    scale = check_scale("scale", scale)
    levels = quantize(as_array(x), scale)
    return Tensor(dequantize(np.maximum(levels, np.int8(0)), scale))
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# Quantize, compare, dequantize. The middle one happens on int8.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# `check_scale("scale", scale)`, `quantize(as_array(x), scale)`, `np.maximum` with `np.int8(0)`,
# `dequantize(levels, scale)`, Tensor.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# Four calls inside each other, from the inside out: `quantize`, `np.maximum`, `dequantize`,
# `Tensor`. The check of the scale comes before them.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_quantized_relu", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
def check_quantized_relu():
    x = np.array([-1.0, -0.2, 0.0, 0.3, 2.0], dtype=np.float32)
    expected = np.array([0, 0, 0, 38 / 127, 1.0], dtype=np.float32)
    cause = "2.0 at scale 1/127 saturates at level 127, and 0.3 rounds to level 38"
    expect_tensor(quantized_relu(Tensor(x), 1 / 127), expected, cause, rtol=1e-6)
    levels = np.array([-128, -1, 0, 5, 127], dtype=np.int8)
    expected = np.array([0, 0, 0, 2.5, 63.5], dtype=np.float32)
    cause = "int8 input is levels already: do not divide it by the scale"
    expect_tensor(quantized_relu(levels, scale=0.5), expected, cause)


check_quantized_relu()


# %% nbgrader={"grade": true, "grade_id": "test_quantized_relu_hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of quantized_relu: shapes, dtypes, saturation, bad scales.
### BEGIN HIDDEN TESTS
def check_quantized_relu_hidden():
    rng = np.random.default_rng(17)
    for shape in [(), (0,), (1000,), (3, 4, 5)]:
        for dtype in (np.float16, np.float32, np.float64, np.int64):
            x = np.asarray(rng.integers(-40, 41, shape)).astype(dtype)
            before = x.copy()
            levels = np.clip(np.round(x / np.float64(0.3)), -128, 127)
            expected = np.asarray(np.maximum(levels, 0) * 0.3, dtype=np.float32)
            expect_tensor(quantized_relu(x, 0.3), expected, f"{shape}, {x.dtype}", rtol=1e-6)
            expect_unchanged(x, before, "x")
    levels = np.array([[-128, -1], [0, 127]], np.int8)
    kept = levels.copy()
    quantized_relu(levels, 0.5)
    expect_unchanged(levels, kept, "x")
    x = np.array([[1e6, -1e6, np.inf, -np.inf]], dtype=np.float32)
    expected = np.array([[254, 0, 254, 0]], dtype=np.float32)
    expect_tensor(quantized_relu(x, 2.0), expected, "far values and infinities saturate")
    for bad in (0.0, -0.5, float("nan"), float("inf")):
        expect_error(ValueError, quantized_relu, x, bad, cause="scale must be finite and > 0")


check_quantized_relu_hidden()
### END HIDDEN TESTS


# %% [markdown]
# **Guess.** ReLU of ten million int8 levels against ten million float32: a quarter of the bytes.
# How many times faster is the comparison, `np.maximum`, on int8?

# %%
my_guess = None  # times faster than float32


# %% tags=["ungraded"]
x = rng.standard_normal(10_000_000, dtype=np.float32)
q = quantize(x, 0.03)
out_x, out_q, zeros = np.empty_like(x), np.empty_like(q), np.zeros_like(q)
times = race(
    {
        "float32": lambda: np.maximum(x, np.float32(0), out=out_x),
        "int8, zeros as an array": lambda: np.maximum(q, zeros, out=out_q),
        "int8, zero as a number": lambda: np.maximum(q, np.int8(0), out=out_q),
        "quantized_relu, from and to float32": lambda: quantized_relu(x, 0.03),
    },
    rounds=9,
)
bars(times, "ReLU of 10,000,000 elements", guess=my_guess)

# %% [markdown]
# If the second and the third bar differ, your NumPy has a SIMD loop for two int8 arrays and a
# plain one for an array and a number: fewer bytes help only when the loop that runs can use them.
# The last bar is the price of leaving the int8 world and coming back. An int8 model in production
# pays it at its two ends only. Ours, in the next section, pays it at every layer.


# %% tags=["ungraded"]
def test_compressed_kernels():
    check_quantized_matmul()
    check_quantized_relu()
    print("Step 6: the visible tests pass.")


test_compressed_kernels()

# %% [markdown] nbgrader={"grade": false, "grade_id": "question_scale", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Written question 3
#
# One output channel of a layer has weights a hundred times larger than all the others. Explain
# what a single scale for the whole weight matrix does to the other channels, what one scale per
# channel changes, and why the columns of the activations cannot each have a scale of their own.
# At most ten lines.

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer_scale", "locked": false, "points": 5, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# One scale must cover the largest weight, so the other channels use one or two of the 127 levels
# and lose nearly all precision. With a scale per output channel each column uses all levels; the
# scale leaves the sum over k as a factor of the column. A scale per input channel would sit
# inside that sum and could not be taken out, so activations share one.
# ### END SOLUTION

# %% [markdown]
# ## A model on your kernels
#
# The network that the training module fitted to handwritten digits runs the held-out images
# through your kernels: float32 through the plain, the blocked and the parallel one, then int8 with
# one scale per output channel. Each line is the same network: only the kernels differ.
#
# **Guess.** How many percentage points of accuracy does int8 lose?

# %%
my_guess = None  # percentage points


# %% tags=["ungraded"]
mine = SimpleNamespace(
    matmul_baseline=matmul_baseline,
    vectorized_relu=vectorized_relu,
    cache_friendly_matmul=cache_friendly_matmul,
    parallel_batch_processing=parallel_batch_processing,
    quantized_matmul=quantized_matmul,
)
print(run_digits(mine) + you_guessed(my_guess))

# %% [markdown]
# The gain here is bytes: a quarter of them, at nearly the same accuracy. It is not time. These
# layers are small, so that calls, threads and conversions at every layer cost more than the
# products. Whether int8 is also faster is a question to the kernel, not to the number format.


# %% [markdown]
# ## Final comparison
#
# Every kernel beside what NumPy alone would do, measured by your own profiler. It compares; it
# does not grade.


# %% tags=["ungraded"]
def final_performance_test():
    A, B = rng.standard_normal((2, 256, 256), dtype=np.float32)
    x, y = rng.standard_normal((2, 1_000_000), dtype=np.float32)
    q = quantize(x, 0.03)
    batch = list(x.reshape(8, -1))
    pairs = {
        "matmul_baseline": (lambda: matmul_baseline(A, B), lambda: A @ B),
        "vectorized_relu": (lambda: vectorized_relu(x), lambda: np.maximum(x, 0)),
        "vectorized_operations": (
            lambda: vectorized_operations(x, y),
            lambda: (x * y, x + y, (x - y) ** 2),
        ),
        "cache_friendly_matmul": (lambda: cache_friendly_matmul(A, B, 64), lambda: A @ B),
        "parallel_relu": (lambda: parallel_relu(x, 2), lambda: np.maximum(x, 0)),
        "parallel_batch_processing": (
            lambda: parallel_batch_processing(batch, np.exp, 2),
            lambda: [np.exp(item) for item in batch],
        ),
        "quantized_matmul": (lambda: quantized_matmul(A, B, 0.03, 0.03), lambda: A @ B),
        "quantized_relu": (lambda: quantized_relu(q, 0.03), lambda: np.maximum(x, 0)),
    }
    profiler = SimpleProfiler()
    print(f"{'kernel':<27}{'median':>10}{'NumPy':>10}{'ratio':>8}{'peak memory':>14}")
    for name, (kernel, numpy_way) in pairs.items():
        ours, theirs = (profiler.profile(fn)[1] for fn in (kernel, numpy_way))
        print(
            f"{name:<27}{ours['wall_time'] * 1e6:>7.0f} us{theirs['wall_time'] * 1e6:>7.0f} us"
            f"{theirs['wall_time'] / ours['wall_time']:>8.2f}{ours['peak_memory']:>12,} B"
        )
    print("ratio: NumPy's time divided by the kernel's; above 1 the kernel is faster.")


final_performance_test()

# %% [markdown]
# **What comes next.** Benchmarking makes of such a table something that can be trusted: many
# sizes, interleaved runs, distributions. MLOps asks what happens to the numbers once the model
# serves real users. Both begin with the habit of this notebook: a guess, a measurement, a picture,
# and one sentence on what limits it.

"""The checks that look into an answer's process, through proxies and without them."""

import gc
import statistics
import time
import tracemalloc
from functools import partial, wraps

import numpy as np
import pytest
from judged_here import Asked, Here

from tinytorch.core.kernels import SimpleProfiler
from tinytorch.core.tensor import Tensor
from tinytorch.lab.clock import expect_times, fake_clock
from tinytorch.lab.judged import ASKED
from tinytorch.lab.mechanism import expect_shared_work, expect_tiles
from tinytorch.lab.proxies import judged_of
from tinytorch.lab.real_times import expect_real_times
from tinytorch.lab.workloads import Allocate, FailWhileTracing, Observe, process_of

BOTH = pytest.mark.parametrize(
    "profiler", [SimpleProfiler, Here(SimpleProfiler)], ids=["here", "proxy"]
)


def test_the_process_is_found_through_wrappers():
    proxy = Here(SimpleProfiler)

    @wraps(proxy)
    def wrapped():
        return proxy()

    class WithMethod:
        __judged__ = proxy.__judged__

        def method(self):
            return 1

    for thing in (proxy, proxy().profile, partial(partial(proxy), 1), wrapped, WithMethod,
                  WithMethod(), WithMethod().method):  # fmt: skip
        assert judged_of(thing) is proxy.__judged__
    for thing in (SimpleProfiler, SimpleProfiler().profile, print, 3, partial(print), None):
        assert judged_of(thing) is None


@BOTH
def test_a_process_tells_its_state_and_is_reset(profiler):
    process = process_of(profiler)
    before = process.state()
    assert before == {
        "collecting": True, "thresholds": list(gc.get_threshold()), "tracing": False
    }  # fmt: skip
    gc.disable()
    gc.set_threshold(0)
    tracemalloc.start()
    assert process.state() == {"collecting": False, "thresholds": [0, *before["thresholds"][1:]],
                               "tracing": True}  # fmt: skip
    process.reset(before["thresholds"])
    assert process.state() == before


@BOTH
def test_workloads_run_and_observe_where_the_answer_lives(profiler):
    observe = Observe()
    _, metrics = profiler().profile(observe)
    states = process_of(profiler).observed(observe)
    assert states.count((False, False)) >= metrics["repeats"] and (True, False) in states
    peak = profiler().profile(Allocate(100_000))[1]["peak_memory"]
    assert 800_000 <= peak < 900_000
    with pytest.raises(OSError, match="from fn"):
        profiler().profile(FailWhileTracing())


@BOTH
def test_a_clock_is_moved_where_the_answer_lives(profiler):
    lasted, real = [], time.perf_counter
    with fake_clock(profiler) as clock:

        def work():
            lasted.append((len(lasted) + 1) / 64)
            clock.advance(lasted[-1], lasted[-1] / 4)

        expect_times(profiler().profile(work)[1], lasted, clock, "rising")
    assert time.perf_counter is real


class Profiler:
    """Times three calls after a warm-up, and reports what `told` makes of them."""

    told = staticmethod(lambda wall: (statistics.median(wall), min(wall)))

    def profile(self, fn):
        fn()
        wall = []
        for _ in range(3):
            begun = time.perf_counter()
            fn()
            wall.append(time.perf_counter() - begun)
        median, least = self.told(wall)
        return None, {"wall_time": median, "min_time": least, "repeats": 3}


@pytest.mark.parametrize(
    "told",
    [
        lambda wall: (0.0, 0.0),
        lambda wall: (statistics.median(wall) / 2, min(wall)),
        lambda wall: (statistics.median(wall) + 1, min(wall)),
        lambda wall: (statistics.median(wall), min(wall) - 0.001),
    ],
    ids=["nothing", "half", "longer", "a shorter minimum"],
)
def test_times_that_cannot_have_been_measured_are_told_apart(told):
    expect_real_times(Profiler)
    made_up = type("MadeUp", (Profiler,), {"told": staticmethod(told)})
    with pytest.raises(AssertionError, match="are the times those of these calls"):
        expect_real_times(made_up)


def test_a_proxied_profiler_must_also_tell_the_real_time():
    class Forging(Profiler):
        told = staticmethod(lambda wall: (1.0, 1.0))

    with pytest.raises(AssertionError, match="by the real clock"), fake_clock(Here(Forging)):
        pass


def test_the_instruments_are_asked_for_first():
    relu = partial(expect_shared_work, x=np.ones(8, np.float32), workers=2)
    for check, answer in [
        (expect_tiles, lambda A, B, _: Tensor(A @ B)),
        (relu, lambda x, _: Tensor(np.maximum(x, 0))),
    ]:
        asked, proxy = [], Here(answer)
        judged = Asked(answer)
        judged.ask = lambda name, *args, asked=asked: asked.append(name) or 1 / 0
        proxy.__judged__ = judged
        with pytest.raises(ZeroDivisionError):
            check(proxy)
        assert asked and asked[0] in ASKED

"""A clock that only moves when it is told to: what a profiler reads, without waiting.

While it stands in, every clock of Python's `time` module reads it, and so does what was made from
them before: names in the profiler's own module, default arguments, attributes of classes, timeit.
"""

from __future__ import annotations

import math
import numbers
import statistics
import time
import timeit
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from tinytorch.lab.callables import namespace
from tinytorch.lab.proxies import Judged, judged_of
from tinytorch.lab.real_times import expect_real_times

_WALL = ("perf_counter", "monotonic")
_CPU = ("process_time", "thread_time")
# Readings that other programs or an administrator may set back: no clocks for measuring.
_DAY = ("time",)
_START = 1_000.0
_CHANGEABLE = 1 << 9  # of a class's flags: made by a class statement (Py_TPFLAGS_HEAPTYPE)


class FakeClock:
    """Wall and processor time as two numbers of seconds, moved on by `advance`.

    readings: how often each kind was read. The time of day jumps back an hour between any two
    readings, as it may when a computer is told the right time.
    """

    def __init__(self) -> None:
        self.wall = self.cpu = _START
        self.readings = {"wall": 0, "cpu": 0, "day": 0}

    def advance(self, wall: float, cpu: float) -> None:
        """Let so many seconds pass."""
        self.wall += wall
        self.cpu += cpu

    def _read_wall(self) -> float:
        self.readings["wall"] += 1
        return self.wall

    def _read_cpu(self) -> float:
        self.readings["cpu"] += 1
        return self.cpu

    def _read_day(self) -> float:
        self.readings["day"] += 1
        return self.wall - 3600.0 * self.readings["day"]

    def stand_ins(self) -> dict[int, Callable[..., Any]]:
        """id of a function of `time` -> what stands in for it."""
        found: dict[int, Callable[..., Any]] = {}
        kinds = {_WALL: self._read_wall, _CPU: self._read_cpu, _DAY: self._read_day}
        for names, read in kinds.items():
            for name in names:
                if hasattr(time, name):
                    found[id(getattr(time, name))] = read
                    found[id(getattr(time, f"{name}_ns"))] = _in_nanoseconds(read)
        for name in ("clock_gettime", "clock_gettime_ns"):
            if hasattr(time, name):
                found[id(getattr(time, name))] = self._by_number(name.endswith("_ns"))
        return found

    def _by_number(self, nanoseconds: bool) -> Callable[[int], float]:
        cpu = {getattr(time, f"CLOCK_{n}_CPUTIME_ID", None) for n in ("PROCESS", "THREAD")}
        day = getattr(time, "CLOCK_REALTIME", None)

        def read(number: int) -> float:
            one = self._read_cpu if number in cpu else self._read_day if number == day else None
            seconds = (one or self._read_wall)()
            return round(seconds * 1e9) if nanoseconds else seconds

        return read


class Clock(Protocol):
    """A clock that tests move, here or in another process."""

    @property
    def readings(self) -> Mapping[str, int]:
        """How often each kind of clock was read."""

    def advance(self, wall: float, cpu: float) -> None:
        """Let so many seconds pass."""


@contextmanager
def fake_clock(profiler: Any) -> Iterator[Clock]:
    """While this lasts, all clocks that this class of profilers can reach read a `FakeClock`.

    Of a profiler in another process, the clock is moved there; afterwards its times by the real
    clock are compared with this process's, see `real_times`.
    """
    judged = judged_of(profiler)
    if judged is None:
        with _stand_in(profiler) as clock:
            yield clock
        return
    judged.ask("clock_start")
    try:
        yield _ClockElsewhere(judged)
    finally:
        judged.ask("clock_stop")
    expect_real_times(profiler)


class _ClockElsewhere:
    """The fake clock of another process. It may be moved from inside a function that is timed."""

    def __init__(self, judged: Judged) -> None:
        self._judged = judged

    @property
    def readings(self) -> Mapping[str, int]:
        return self._judged.ask("clock_readings")

    def advance(self, wall: float, cpu: float) -> None:
        self._judged.ask("clock_advance", wall, cpu)


_started: list[tuple[FakeClock, ExitStack]] = []  # for who cannot hold a context open: a process


def start(profiler: Any) -> None:
    """Start a fake clock in this process; `advance`, `readings` and `stop` are for this one."""
    stack = ExitStack()
    _started.append((stack.enter_context(_stand_in(profiler)), stack))


def advance(_: Any, wall: float, cpu: float) -> None:
    """`FakeClock.advance` of the clock that was started last."""
    _started[-1][0].advance(wall, cpu)


def readings(_: Any) -> dict[str, int]:
    """`FakeClock.readings` of the clock that was started last."""
    return dict(_started[-1][0].readings)


def stop(_: Any) -> None:
    """Let everything read the real clock again."""
    _started.pop()[1].close()


@contextmanager
def _stand_in(profiler: Any) -> Iterator[FakeClock]:
    names = namespace(profiler.profile) if hasattr(profiler, "profile") else None
    clock = FakeClock()
    stand_ins = clock.stand_ins()
    undo: list[Callable[[], None]] = []
    spaces = [vars(time), vars(timeit), *([names] if names is not None else [])]
    try:
        for space in spaces:
            _replace_in(space, stand_ins, undo)
        for function in _functions(spaces[1:]):
            _replace_defaults(function, stand_ins, undo)
        for kind in [v for v in (names or {}).values() if isinstance(v, type)]:
            _replace_attributes(kind, stand_ins, undo)
        yield clock
    finally:
        for put_back in reversed(undo):
            put_back()


def expect_times(
    metrics: Mapping[str, Any], lasted: Sequence[float], clock: Clock, kind: str
) -> None:
    """Assert that a profiler's metrics are what the clock showed.

    lasted: wall seconds of every call, in order, each with a quarter of processor time. Timed are
    `repeats` calls in a row, the first call of all not among them: that one is the warm-up.
    """
    missing = sorted({"repeats", "wall_time", "min_time", "cpu_time"} - set(metrics))
    assert not missing, f"metrics lacks {missing}: are the keys spelt as in the docstring?"
    for key in ("repeats", "wall_time", "min_time", "cpu_time"):
        is_number = isinstance(metrics[key], numbers.Real)
        assert is_number, f"{key} is {metrics[key]!r}, expected a number: is the unit left out?"
    repeats = int(metrics["repeats"])
    tried = f"tried {len(lasted)} calls whose times are {kind}, by a clock that the test moves"
    _expect_clock_read(clock, tried)
    windows = [lasted[i : i + repeats] for i in range(1, len(lasted) - repeats + 1)]
    assert windows, (
        f"{tried}: repeats is {repeats}, but fn was called {len(lasted)} times: is there a warm-up "
        "before the timed calls, and are the repeats those that are timed?"
    )
    wall, least = float(metrics["wall_time"]), float(metrics["min_time"])
    fits = [w for w in windows if _near(wall, statistics.median(w)) and _near(least, min(w))]
    first, last = windows[0], windows[-1]
    assert fits, (
        f"{tried}: wall_time is {wall:g} s and min_time {least:g} s, expected the median and the "
        f"minimum of {repeats} calls in a row, {statistics.median(first):g} and {min(first):g} s "
        f"up to {statistics.median(last):g} and {min(last):g} s: "
        f"{_likely(wall, least, lasted, windows)}"
    )
    cpu = float(metrics["cpu_time"])
    if not clock.readings["cpu"]:  # it may be read elsewhere, from what these calls really took
        low, high = 0.0, 0.05
    else:
        low = min(min(w) for w in windows) / 4
        high = max(max(w) for w in windows) / 4
    assert low - 1e-8 <= cpu <= high + 1e-8, (
        f"{tried}: cpu_time is {cpu:g} s, expected {low:g} to {high:g} s: seconds of processor "
        "time for one call, from time.process_time, and not the wall time or the sum?"
    )


def _expect_clock_read(clock: Clock, tried: str) -> None:
    read = clock.readings
    assert read["wall"] or read["cpu"] or read["day"], (
        f"{tried}: no clock of Python's time module was read: are the times measured?"
    )
    assert read["wall"], (
        f"{tried}: no clock for wall time was read, only that of "
        f"{'the day, which may be set back' if read['day'] else 'the processor'}: "
        "is it time.perf_counter?"
    )


def _likely(
    wall: float, least: float, lasted: Sequence[float], windows: Sequence[Sequence[float]]
) -> str:
    """What a wrong pair of numbers looks like."""
    medians = [statistics.median(w) for w in windows]
    causes = {
        "a mean is no median": [statistics.mean(w) for w in windows],
        "is that the minimum, not the median?": [min(w) for w in windows],
        "is that the maximum?": [max(w) for w in windows],
        "is that processor time?": [m / 4 for m in medians],
        "are these milliseconds?": [m * 1e3 for m in medians],
        "are these microseconds?": [m * 1e6 for m in medians],
        "are these nanoseconds?": [m * 1e9 for m in medians],
        "is that the last call?": [w[-1] for w in windows],
    }
    for cause, values in causes.items():
        if any(_near(wall, value) for value in values):
            return cause
    if _near(least, min(lasted)):
        return "is the warm-up among the timed calls?"
    return "are times of other calls among them, or are they not sorted for the median?"


def _near(value: float, expected: float) -> bool:
    return math.isclose(value, expected, rel_tol=1e-6, abs_tol=1e-8)


def _in_nanoseconds(read: Callable[[], float]) -> Callable[[], int]:
    return lambda: round(read() * 1e9)


def _replace_in(space: dict[str, Any], stand_ins: dict[int, Any], undo: list[Any]) -> None:
    for name, value in list(space.items()):
        if id(value) in stand_ins:
            space[name] = stand_ins[id(value)]
            undo.append(lambda s=space, n=name, v=value: s.__setitem__(n, v))


def _functions(spaces: list[dict[str, Any]]) -> Iterator[types.FunctionType]:
    for space in spaces:
        for value in list(space.values()):
            if isinstance(value, types.FunctionType):
                yield value
            elif isinstance(value, type):
                for attribute in vars(value).values():
                    inner = getattr(attribute, "__func__", attribute)
                    if isinstance(inner, types.FunctionType):
                        yield inner


def _replace_defaults(function: Any, stand_ins: dict[int, Any], undo: list[Any]) -> None:
    before, keyword = function.__defaults__, function.__kwdefaults__
    if before and any(id(value) in stand_ins for value in before):
        function.__defaults__ = tuple(stand_ins.get(id(value), value) for value in before)
        undo.append(lambda: setattr(function, "__defaults__", before))
    if keyword and any(id(value) in stand_ins for value in keyword.values()):
        function.__kwdefaults__ = {k: stand_ins.get(id(v), v) for k, v in keyword.items()}
        undo.append(lambda: setattr(function, "__kwdefaults__", keyword))


def _replace_attributes(kind: type, stand_ins: dict[int, Any], undo: list[Any]) -> None:
    if not kind.__flags__ & _CHANGEABLE:
        return
    for name, value in list(vars(kind).items()):
        bare = value.__func__ if isinstance(value, staticmethod) else value
        if id(bare) in stand_ins:
            setattr(kind, name, staticmethod(stand_ins[id(bare)]))
            undo.append(lambda n=name, v=value: setattr(kind, n, v))

"""The race's mechanism, at tiny sizes and without a peer but NumPy: what is refused, kept, said.

No reading is judged here.
"""

import json
import sys
from functools import partial

import numpy as np
import pytest

from benchmarks import __main__ as orchestrator
from benchmarks import contests, report, timing, worker
from benchmarks.cases import RACES, Goal, Race
from benchmarks.contests import Contest, WrongResult, verify

# kernel, size, threads, peer, at least, wanted: the rows that were agreed upon.
TABLE = [
    *(("matmul_baseline", f"N = {n}", t, "numpy @", a, 1.0)
      for n, a in ((64, 0.85), (256, 0.95), (1024, 0.98)) for t in (1, 2)),
    *(("vectorized_relu", size, 1, "np.maximum(x, 0)", 1.0, 1.0) for size in ("10^5", "10^6")),
    *(("compiled_relu", size, t, "torch.relu", 1.0, 1.5)
      for size in ("10^3", "10^5", "10^6", "2x10^7") for t in (1, 2)),
    ("parallel_relu", "2x10^7", 2, "torch.relu", 1.5, 4.0),
    ("cache_friendly_matmul", "N = 1024", 1, "numpy @", 0.5, 0.8),
    *(("compiled_matmul", f"N = {n}", t, "numpy @", a, 0.9)
      for n in (256, 1024, 2048) for t, a in ((1, 0.7), (2, 0.65))),
    *(("fused_linear_relu", size, t, "torch.relu(linear)", 0.8, 1.2)
      for size in ("256, 1024 -> 1024", "256, 64 -> 100000") for t in (1, 2)),
    ("sparse_matmul", "64 by 1024^2", 1, "SciPy CSR", 1.0, 2.0),
    ("sparse_matmul", "64 by 1024^2", 1, "dense numpy @", 1.0, 3.0),
    ("quantized_matmul", "N = 1024", 1, "float32 @", 0.8, 1.0),
    ("quantized_matmul", "N = 1024", 2, "float32 @", 0.9, 1.0),
    ("compiled_quantized_matmul", "N = 1024", 1, "float32 @", 1.2, 2.0),
    ("compiled_quantized_matmul", "N = 1024", 1, "torch fbgemm", 0.6, 1.0),
    ("compiled_quantized_matmul", "N = 1024", 1, "ONNX MatMulInteger", 0.6, 1.0),
    *(("SimpleProfiler", size, 1, peer, 0.05, 0.02)
      for size in ("20 us", "2 ms") for peer in ("timeit median", "torch benchmark")),
    ("import tinytorch.core.kernels", "second start", 1, "import numba", 0.2, 0.1),
    ("matmul_baseline", "8x8, 8x8", 1, "bare arrays", 2.0, None),
    ("compiled_relu", "64", 1, "bare arrays", 2.0, None),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: " ".join(map(str, row[:4])))
def test_every_row_of_the_table_is_raced_in_a_quick_run_too(row):
    kernel, size, threads, *goal = row
    found = [race for race in RACES if (race.kernel, race.size) == (kernel, size) and race.quick]
    goals = [[g.against, g.at_least, g.wanted] for race in found for g in race.goals_at(threads)]
    assert goal in goals


def _race(ours, peers=None, expected=None, **options) -> Race:
    contest = Contest(ours, {"numpy": lambda: np.ones(3)} | (peers or {}), expected)
    goals = tuple(Goal(name, 1.0, 1.5) for name in contest.peers)
    return Race("a_kernel", "N = 3", 3, lambda threads: contest, goals, **options)


def _rows(race: Race, threads: int = 1) -> list[dict]:
    return list(worker.rows_of(race, threads, rounds=3, block=1e-5))


def test_a_row_holds_one_reading_per_round_of_both():
    (row,) = _rows(_race(lambda: np.ones(3), expected=lambda: np.ones(3)))
    assert len(row["ours"]) == len(row["peer"]) == 3 and min(row["ours"] + row["peer"]) > 0
    assert (row["kernel"], row["against"], row["threads"], row["asked"]) == (
        "a_kernel", "numpy", 1, 1.0)  # fmt: skip


def test_a_wrong_kernel_does_not_race():
    (row,) = _rows(_race(lambda: np.array([1, 1, 2]), expected=lambda: np.ones(3)))
    assert row["ours"] == [] and "the kernel: 1 of 3" in row["failed"] and "(2,)" in row["failed"]


@pytest.mark.parametrize("result", [np.ones(4), np.array([1, np.nan, 1]), np.zeros(3)])
def test_another_shape_nan_and_other_values_are_wrong(result):
    with pytest.raises(WrongResult):
        verify(Contest(lambda: result, {}, lambda: np.ones(3), tolerance=0.5))


def test_a_wrong_peer_stops_its_race():
    race = _race(lambda: np.ones(3), {"peer": lambda: np.zeros(3)}, lambda: np.ones(3))
    assert all("peer: 3 of 3" in row["failed"] for row in _rows(race))


def test_a_peer_with_other_operands_has_a_result_of_its_own():
    other = {"peer": (lambda: np.zeros(3), 0.0)}
    verify(Contest(lambda: np.ones(3), {"peer": lambda: np.zeros(3)}, lambda: np.ones(3), 0, other))


def test_a_kernel_that_raises_is_a_failed_row_not_the_end():
    (row,) = _rows(_race(lambda: 1 / 0, expected=lambda: np.ones(3)))
    assert "ZeroDivisionError" in row["failed"]


def test_a_missing_peer_is_named_and_the_others_race():
    numpy, torch = _rows(_race(lambda: np.ones(3), {"torch.relu": None}))
    assert torch["against"] == "torch.relu" and "pip install" in torch["note"]
    assert torch["ours"] == [] and "failed" not in torch and len(numpy["ours"]) == 3
    assert "pip install" in report.line(report.cells(torch))


TINY = {
    "relu": partial(contests.relu, "vectorized_relu", 10),
    "compiled relu": partial(contests.relu, "compiled_relu", 10),
    "parallel relu": partial(contests.relu, "parallel_relu", 10),
    "elementwise": partial(contests.elementwise, 10),
    "quantized relu": partial(contests.quantized_relu, 10),
    "product": partial(contests.product, "matmul_baseline", 8),
    "compiled product": partial(contests.product, "compiled_matmul", 8),
    "best block": partial(contests.best_block, 40),
    "fused": partial(contests.fused, 4, 5, 6),
    "pruned": partial(contests.pruned, 20),
    "quantized": partial(contests.quantized, "quantized_matmul", 8, True),
    "int8": partial(contests.quantized, "compiled_quantized_matmul", 8, False),
}


@pytest.mark.parametrize("build", TINY.values(), ids=TINY.keys())
def test_the_kernels_and_whichever_peers_are_installed_agree(build):
    verify(build(1))


def test_turns_rotate_and_every_block_follows_one_untimed_call(monkeypatch):
    calls = []
    monkeypatch.setattr(timing, "calls_per_block", lambda call, block: (2, 1e-6))
    timed = {name: partial(calls.append, name) for name in "ab"}
    times = timing.rounds_of(timed, rounds=2, block=1e-6, pause=False)
    assert "".join(calls) == "aaabbb" + "bbbaaa"
    assert [len(seconds) for seconds in times.values()] == [2, 2]


def test_several_threads_pause_before_every_block(monkeypatch):
    pauses = []
    monkeypatch.setattr(timing, "settle", lambda: pauses.append(1))
    _rows(_race(lambda: np.ones(3)), threads=1)
    assert not pauses
    _rows(_race(lambda: np.ones(3)), threads=2)
    assert len(pauses) == 3 * 2


def test_after_a_pause_calls_go_on_until_the_threads_are_warm(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(timing, "settle", lambda: None)
    monkeypatch.setattr(timing, "calls_per_block", lambda call, block: (1, 1e-6))
    monkeypatch.setattr(timing, "WARM", 4)
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    calls = []
    timing.rounds_of({"a": partial(calls.append, 1)}, rounds=1, block=1e-6, pause=True)
    assert len(calls) == 4 + 1


def test_workspace_is_what_is_allocated_beyond_the_output():
    def kernel() -> np.ndarray:
        return np.ones((8, 2**17)).sum(axis=0)  # 8 MiB in between, 1 MiB returned

    found = timing.workspace(kernel, lambda result: result.nbytes)
    assert 8 * 2**20 <= found < 8 * 2**20 + 2**16


def test_the_bound_of_the_workspace_is_the_docstrings():
    assert worker.stated_bound("Workspace: at most 3 MiB.") == 3 * 2**20
    assert worker.stated_bound("Nothing promised.") == 64 * 2**20


def _row(kind="ratio", ours=(1.0, 1.0, 1.0), peer=(2.0, 2.0, 2.0), asked=1.0, wanted=3.0, **more):
    row = {"kernel": "k", "variant": "", "size": "N = 8", "x": 8, "threads": 1, "against": "numpy",
           "kind": kind, "ours": list(ours), "peer": list(peer), "asked": asked, "wanted": wanted,
           "roof": "", "work": 0, "note": ""}  # fmt: skip
    return row | more


@pytest.mark.parametrize(
    ("row", "reached", "word"),
    [
        (_row(), 2.0, "held"),
        (_row(wanted=2.0), 2.0, "wanted"),
        (_row(asked=2.1), 2.0, "short"),
        (_row(asked=None, wanted=None), 2.0, ""),
        (_row(peer=(0.996,) * 3), 0.996, "held"),  # printed as 1.00
        (_row("within", peer=(1.04,) * 3, asked=0.05, wanted=0.02), 1.04, "held"),
        (_row("within", peer=(0.94,) * 3, asked=0.05, wanted=0.02), 0.94, "short"),
        (_row("us over", ours=(3e-6,) * 3, peer=(1e-6,) * 3, asked=2.0, wanted=None), 2.0, "held"),
        (_row("s over", ours=(1.3,) * 3, peer=(1.0,) * 3, asked=0.2, wanted=0.1), 0.3, "short"),
    ],
)
def test_a_row_is_judged_by_its_kind(row, reached, word):
    judged = report.judge(row)
    assert judged.reached == pytest.approx(reached) and judged.word == word


def test_cost_by_size_is_fitted_as_a_power_of_the_work():
    assert report.fitted_power({w: 3e-9 * w for w in (1e6, 1e7, 1e8)}) == pytest.approx((1, 0))
    power, rest = report.fitted_power({1e6: 1.0, 1e7: 10.0, 1e8: 200.0})
    assert power > 1 and rest > 0.1


@pytest.mark.parametrize("threads", [1, 3])
def test_every_library_is_held_to_the_threads_of_the_process(monkeypatch, threads):
    started = []

    class Worker:
        def __init__(self, command, env, **_):
            started.append((command, env))
            self.stdout, self.returncode = iter(["noise\n", '{"row": 1}\n']), 0

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(orchestrator.subprocess, "Popen", Worker)
    assert list(orchestrator._messages(threads, [])) == [{"row": 1}]
    ((command, env),) = started
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        assert env[f"{name}_NUM_THREADS"] == str(threads)
    assert env["VECLIB_MAXIMUM_THREADS"] == command[command.index("--threads") + 1] == str(threads)


def test_a_worker_says_settings_peaks_rows_and_who_else_was_there(monkeypatch, capsys):
    monkeypatch.setattr(worker, "RACES", [_race(lambda: np.ones(3))])
    monkeypatch.setattr(worker, "peaks", lambda threads, readings: {"arithmetic": [], "memory": []})
    arguments = ["worker", "--threads", "1", "--rounds", "2", "--block", "1e-5"]
    monkeypatch.setattr(sys, "argv", arguments)
    worker.main()
    kinds = [next(iter(json.loads(line))) for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["settings", "peaks", "row", "others"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--memory"])
    monkeypatch.setattr(worker.peers, "forget", lambda: None)
    monkeypatch.setattr(worker, "kernel", lambda name: "".join)
    worker.main()
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["memory"]["workspace"] >= 0


def _run(monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["tito bench", *map(str, arguments)])
    return orchestrator.main()


@pytest.fixture
def messages(monkeypatch):
    """Two sizes of one kernel instead of a race."""
    rows = [_row(x=n, size=f"N = {n}", roof="arithmetic", work=2 * n**3) for n in (8, 16)]
    sent = [{"settings": {"OMP_NUM_THREADS": "1"}},
            {"peaks": {"arithmetic": [100.0], "memory": [10.0]}},
            *({"row": row} for row in rows), {"others": 0.5}]  # fmt: skip
    kept = {"kernel": "k", "variant": "", "size": "N = 8", "threads": 1, "workspace": 5, "bound": 9}

    def answer(threads, arguments):
        yield from [{"memory": kept}] if "--memory" in arguments else sent

    monkeypatch.setattr(orchestrator, "_messages", answer)
    return sent


def test_a_run_leaves_readings_a_machine_and_a_picture(monkeypatch, tmp_path, messages, capsys):
    results = tmp_path / "deep" / "run.json"
    assert _run(monkeypatch, "--quick", "--output", results) == 0
    record = json.loads(results.read_text())
    assert record["schema"] == report.SCHEMA and record["rounds"] == 3 and record["quick"]
    assert {"cpu", "cores", "caches", "versions", "blas"} <= set(record["machine"])
    assert {"ours", "peer", "asked", "wanted", "threads", "against"} <= set(record["rows"][0])
    assert record["memory"][0]["bound"] == 9 and record["seconds"] >= 0
    assert results.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    out = capsys.readouterr().out
    assert "reached" in out and "2.00" in out and "OMP_NUM_THREADS 1" in out
    assert "others used 0.50 cores" in out


def test_a_results_file_is_drawn_and_printed_again(monkeypatch, tmp_path, messages, capsys):
    results, picture = tmp_path / "run.json", tmp_path / "race.png"
    _run(monkeypatch, "--output", results)
    assert _run(monkeypatch, "--picture-only", results, "--picture", picture) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    assert _run(monkeypatch, "--markdown", results) == 0
    assert "| k | N = 8 | 1 | numpy | 2.00 |" in capsys.readouterr().out


def test_a_wrong_kernel_makes_the_run_fail_and_is_named(monkeypatch, tmp_path, messages, capsys):
    messages[2]["row"] |= {"failed": "WrongResult: off", "ours": [], "peer": []}
    assert _run(monkeypatch, "--output", tmp_path / "run.json") == 1
    assert "FAILED k, N = 8: WrongResult: off" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--rounds", "1"], ["--markdown", "no-such-file"]])
def test_bad_arguments_are_refused_before_anything_runs(monkeypatch, capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        _run(monkeypatch, *arguments)
    assert stop.value.code == 2
    assert arguments[1] in capsys.readouterr().err

"""The cache ladder: cliffs of made-up curves, and what becomes of it where something is missing."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from tinytorch.core.simd import COMPILING
from tinytorch.lab import cache_ladder as ladders
from tinytorch.lab.cache_facts import Cache
from tinytorch.lab.cache_ladder import KIB, MIB, CacheLadder, bytes_of, cache_ladder, cliffs_of
from tinytorch.lab.cache_ladder_plots import draw_cache_ladder

SIZES = [4 * KIB * 2**step for step in range(17)]
CACHES = {"L1": 32 * KIB, "L2": 512 * KIB, "L3": 32 * MIB}


def _curve(*steps):
    """A value for each of SIZES, from (last size, value) pairs."""
    return [next(value for last, value in steps if size <= last) for size in SIZES]


def _ladder(caches=CACHES, latency=None, **changes):
    steps = ((32 * KIB, 1.5), (512 * KIB, 4), (32 * MIB, 20), (2**40, 100))
    bandwidth = _curve((32 * KIB, 200), (32 * MIB, 80), (2**40, 20))
    values = {
        "sizes": SIZES,
        "bandwidth": [[0.9 * best, best] for best in bandwidth],
        "latency": [[1.2 * best, best] for best in latency or _curve(*steps)],
        "caches": caches,
    }
    return CacheLadder(**(values | changes))


def test_cliffs_are_the_last_sizes_that_fit():
    found = _ladder().cliffs()
    assert [cliff.last for cliff in found] == list(CACHES.values())
    assert [(cliff.before, cliff.after) for cliff in found] == [(1.5, 4), (4, 20), (20, 100)]
    assert _ladder().slowdowns() == [32 * KIB, 32 * MIB]


def test_a_cliff_over_several_sizes_is_one():
    latency = _curve((32 * KIB, 1), (64 * KIB, 1.3), (128 * KIB, 2), (256 * KIB, 3), (2**40, 3.1))
    assert [tuple(cliff) for cliff in cliffs_of(SIZES, latency)] == [(64 * KIB, 1, 3)]


def test_a_single_disturbed_point_is_no_cliff():
    latency = [1.0] * len(SIZES)
    latency[5] = 9.0
    assert cliffs_of(SIZES, latency) == []


def test_a_slow_climb_is_no_cliff():
    assert cliffs_of(SIZES, [1.05**step for step in range(len(SIZES))]) == []


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_short_curve_has_no_cliff(count):
    assert cliffs_of(SIZES[:count], [1.0, 9.0][:count]) == []


def test_the_conclusion_agrees_with_the_system():
    said = " ".join(_ladder().conclusion())
    assert "waits longer beyond 32 KiB, 512 KiB and 32 MiB" in said
    assert "in order comes slower beyond 32 KiB and 32 MiB" in said
    assert "agrees with the reported L1 (32 KiB), L2 (512 KiB) and L3 (32 MiB)" in said
    assert "66.7 times as long" in said and "10 times slower" in said


def test_the_conclusion_disagrees_where_the_curve_does():
    caches = CACHES | {"L3": 8 * MIB}
    said = " ".join(_ladder(caches).conclusion())
    assert "L1 (32 KiB) and L2 (512 KiB) agree, within a factor of two; L3 (8 MiB) not" in said
    said = " ".join(_ladder({"L1": 4 * MIB}).conclusion())
    assert "does not agree with the reported L1 (4 MiB)." in said
    assert "No cache of 32 KiB, 512 KiB and 32 MiB is reported: others may use" in said


def test_a_cache_that_one_curve_shows_agrees_and_the_other_cliff_is_named():
    early = _curve((32 * KIB, 1.5), (512 * KIB, 4), (4 * MIB, 20), (2**40, 100))
    said = " ".join(_ladder(latency=early).conclusion())
    assert "agrees with the reported L1 (32 KiB), L2 (512 KiB) and L3 (32 MiB)" in said
    assert "No cache of 4 MiB is reported" in said


def test_a_cache_as_large_as_the_ladder_is_not_judged():
    ladder = _ladder({"L3": 256 * MIB})
    assert ladder.agrees() == {}
    assert "too large for these sizes" in " ".join(ladder.conclusion())


def test_caches_that_the_system_hides_are_no_error():
    assert "does not report" in " ".join(_ladder({}).conclusion())


def test_a_flat_curve_is_told_plainly():
    ladder = _ladder(latency=[1.0] * len(SIZES), bandwidth=[[5.0]] * len(SIZES))
    said = " ".join(ladder.conclusion())
    assert "No load waits long; data read in order comes as fast throughout." in said


@pytest.mark.parametrize("caches", [[], [Cache(1, 2 * KIB, 128)]])
def test_a_ladder_has_readings_for_each_size(monkeypatch, caches):
    monkeypatch.setattr(ladders, "data_caches", lambda: caches)
    monkeypatch.setattr(ladders, "_READING", 1e-6)
    ladder = cache_ladder(2 * KIB, 16 * KIB, readings=2)
    if not COMPILING:
        assert "compiles nothing" in ladder.missing
        return
    assert ladder.sizes[0] == 2 * KIB and ladder.sizes[-1] == 16 * KIB and len(ladder.sizes) == 7
    assert {len(readings) for readings in ladder.bandwidth + ladder.latency} == {4}
    assert all(x > 0 for readings in ladder.bandwidth + ladder.latency for x in readings)
    assert ladder.conclusion()


@pytest.mark.skipif(not COMPILING, reason="compiles nothing")
def test_the_walk_meets_every_line_once(monkeypatch):
    walked = {}

    def walk(follow, at, steps):
        seen = [at]
        for _ in range(len(follow) // 8):
            seen.append(int(follow[seen[-1]]))
        walked["places"] = seen
        return at

    monkeypatch.setattr(ladders, "_walk", walk)
    monkeypatch.setattr(ladders, "_READING", 0.0)
    ladders._read_latency(np.zeros(512, np.int64), 64, 1, np.random.default_rng(0))
    places = walked["places"]
    assert places[-1] == places[0] and sorted(places[:-1]) == list(range(0, 512, 8))


def test_without_a_compiler_a_sentence_takes_its_place(monkeypatch, capsys):
    monkeypatch.setattr(ladders, "COMPILING", False)
    ladder = cache_ladder()
    assert ladder.sizes == ladder.cliffs() == ladder.slowdowns() == []
    assert ladder.conclusion() == [ladder.missing] and ladder.agrees() == {}
    draw_cache_ladder(ladder, guess=32_000)
    assert "compiles nothing" in capsys.readouterr().out


@pytest.mark.skipif(not COMPILING, reason="compiles nothing")
def test_without_memory_the_ladder_is_shorter_or_missing(monkeypatch):
    monkeypatch.setattr(ladders, "_READING", 1e-6)
    monkeypatch.setattr(ladders, "memory_to_spare", lambda: 8 * KIB)
    assert max(cache_ladder(4 * KIB, 256 * MIB, readings=1).sizes) == 8 * KIB
    monkeypatch.setattr(ladders, "memory_to_spare", lambda: 100)
    assert "no memory to spare" in cache_ladder().missing


@pytest.mark.skipif(not COMPILING, reason="compiles nothing")
def test_memory_that_is_refused_halves_the_ladder(monkeypatch):
    empty, monkey = np.empty, monkeypatch

    def refuse(count, dtype):
        if count * 8 > 3 * MIB:
            raise MemoryError
        return empty(count, dtype)

    monkey.setattr(ladders.np, "empty", refuse)
    assert ladders._memory(4 * KIB, 2 * MIB).nbytes == MIB


@pytest.mark.parametrize("wrong", [(100, 4096, 1), (8192, 4096, 1), (4096, 8192, 0)])
def test_sizes_that_make_no_ladder_are_refused(wrong):
    with pytest.raises(ValueError, match=f"got {wrong[0]}"):
        cache_ladder(*wrong)


@pytest.mark.parametrize(
    ("size", "text"), [(512, "512 B"), (32768, "32 KiB"), (3 * MIB // 2, "1.5 MiB"),
                       (2**30, "1 GiB")]
)  # fmt: skip
def test_sizes_are_told_in_their_unit(size, text):
    assert bytes_of(size) == text


@pytest.mark.parametrize("guess", [None, 32_000, [32_000, 600_000, 1e12], np.array([1.0, 2e6])])
def test_the_picture_takes_one_guess_or_several(tmp_path, guess):
    draw_cache_ladder(_ladder(), guess=guess, png=tmp_path / "ladder.png")
    with Image.open(tmp_path / "ladder.png") as picture:
        assert picture.size[0] > 300


def test_the_caption_is_the_conclusion_with_the_guess(capsys):
    draw_cache_ladder(_ladder(), guess=[600_000, 32 * KIB])
    said = capsys.readouterr().out.replace("\xa0", " ")
    assert "You guessed 32 KiB, 586 KiB." in said and "agrees with the reported" in said
    assert not plt.get_fignums()


def test_a_guess_that_is_none_is_answered(capsys):
    draw_cache_ladder(_ladder(), guess=["L1", 5])
    assert "write a positive number" in capsys.readouterr().out


def test_readings_may_be_single(capsys):
    draw_cache_ladder(_ladder({}, latency=[1.0] * len(SIZES), bandwidth=[[9.0]] * len(SIZES)))
    assert "does not report" in capsys.readouterr().out

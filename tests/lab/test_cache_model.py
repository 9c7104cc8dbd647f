"""The cache model against traces worked out by hand, and the figures that the lesson relies on."""

import matrix_products as products
import numpy as np
import pytest

from tinytorch.core import kernels
from tinytorch.lab.cache_model import CacheModel, Counts
from tinytorch.lab.trace import Trace, trace


def missed(elements, size=64, **cache):
    """For each access, "m" for a miss and "." for a hit."""
    seen = Trace.from_accesses({"A": (size,)}, [("A", e) for e in elements])
    return "".join("m" if miss else "." for miss in CacheModel(**cache).run(seen).missed)


def test_one_miss_a_line():
    assert missed(range(8), lines=2, line_elements=4) == "m...m..."


def test_the_line_used_least_recently_goes_first():
    # 0 and 1 fill both places; 0 is used again, so 2 takes the place of 1, not of 0.
    assert missed([0, 1, 0, 2, 0, 1], lines=2, line_elements=1) == "mm.m.m"


def test_a_write_counts_as_a_use():
    seen = Trace.from_accesses(
        {"A": (4,)}, [("A", 0), ("A", 1), ("A", 0, True), ("A", 2), ("A", 0), ("A", 1)]
    )
    assert CacheModel(2, 1).run(seen).missed.tolist() == [True, True, False, True, False, True]


def test_lines_of_one_set_push_each_other_out_though_others_are_free():
    # Direct-mapped, four sets: lines 0 and 4 share set 0, lines 0 and 1 do not.
    assert missed([0, 4, 0, 4], lines=4, line_elements=1, ways=1) == "mmmm"
    assert missed([0, 1, 0, 1], lines=4, line_elements=1, ways=1) == "mm.."
    assert missed([0, 4, 0, 4], lines=4, line_elements=1, ways=2) == "mm.."
    assert missed([0, 2, 4, 0], lines=4, line_elements=1, ways=2) == "mmmm"
    assert missed([0, 4, 0, 4], lines=4, line_elements=1) == "mm.."


def test_a_cyclic_walk_one_line_too_long_never_hits():
    assert missed([0, 1, 2] * 3, lines=2, line_elements=1) == "m" * 9
    assert missed([0, 1, 2] * 3, lines=3, line_elements=1) == "mmm" + "." * 6


def test_counts_by_array_and_first_touches():
    accesses = [("A", 0), ("B", 0), ("A", 1), ("B", 1), ("A", 0)]
    seen = Trace.from_accesses({"A": (2,), "B": (2,)}, accesses)
    report = CacheModel(1, 2).run(seen)
    assert report.by_array == {"A": Counts(0, 3, 1), "B": Counts(0, 2, 1)}
    assert (report.hits, report.misses, report.compulsory) == (0, 5, 2)


def test_every_array_starts_at_a_line_after_the_one_before():
    seen = Trace.from_accesses({"A": (3,), "B": (5,), "C": (1,)}, [("C", 0), ("B", 4), ("A", 2)])
    model = CacheModel(lines=4, line_elements=2)
    assert model.first_lines(seen) == {"A": 0, "B": 2, "C": 5}
    assert model.line_numbers(seen).tolist() == [5, 4, 1]


def test_what_the_cache_holds_at_a_moment():
    seen = Trace.from_accesses({"A": (4,)}, [("A", e) for e in (0, 1, 0, 2)])
    held = CacheModel(2, 1).held(seen, [0, 2, 4])
    assert [sorted(lines.tolist()) for lines in held] == [[], [0, 1], [0, 2]]


def test_a_step_that_does_not_fit_is_reported():
    seen = Trace.from_accesses({"A": (8,)}, [("A", [0, 1]), ("A", [0, 1, 2])])
    assert CacheModel(2, 1).run(seen).too_large == 1


@pytest.mark.parametrize(
    ("kernel", "misses"),
    [
        (products.ijk, 33_024),
        (products.ikj, 4_352),
        (products.blocked_loops, 1_152),
        (products.tiles_at, 1_152),
        (kernels.cache_friendly_matmul, 1_152),
    ],
)
def test_the_figures_of_the_lesson(kernel, misses):
    A, B = np.ones((2, 32, 32), np.float32)
    seen = trace(kernel, A, B, *([8] if kernel is kernels.cache_friendly_matmul else []))
    report = CacheModel(lines=32, line_elements=8).run(seen.only("A", "B", "C"))
    assert (report.misses, report.compulsory) == (misses, 384)
    assert report.hits == len(seen.only("A", "B", "C")) - misses
    assert report.too_large == 0


def test_a_whole_product_is_one_step_too_large():
    A, B = np.ones((2, 32, 32), np.float32)
    assert CacheModel().run(trace(products.whole, A, B)).too_large == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"lines": 0}, "lines .* got 0"),
        ({"line_elements": -1}, "line_elements"),
        ({"ways": 0}, "ways"),
        ({"lines": 6, "ways": 4}, "multiple of ways, got 6 lines, 4 ways"),
    ],
)
def test_an_impossible_cache_is_refused(options, says):
    with pytest.raises(ValueError, match=says):
        CacheModel(**options)


def test_a_cache_describes_itself():
    assert str(CacheModel()) == ("32 lines of 8 elements, fully associative, least recently used")
    assert "direct-mapped" in str(CacheModel(8, 4, ways=1))
    assert "2 ways" in str(CacheModel(8, 4, ways=2))


def test_an_empty_trace_has_no_misses():
    report = CacheModel().run(Trace.from_accesses({"A": (3,)}, []))
    assert (report.hits, report.misses, report.compulsory) == (0, 0, 0)

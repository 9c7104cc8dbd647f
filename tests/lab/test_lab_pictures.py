"""The pictures of roofs, ladders and sweeps: what they say, with a guess, without one, with nothing
to draw."""

import matplotlib
import pytest

matplotlib.use("agg")

import matplotlib.pyplot as plt

from tinytorch.lab import gil, roofline, scaling
from tinytorch.lab.block_sweep import BlockSweep
from tinytorch.lab.byte_model import int8_product_work, product_work, relu_work
from tinytorch.lab.gil_plots import draw_lock
from tinytorch.lab.ladder_plots import draw_ladder
from tinytorch.lab.roofline_plots import draw_roofline
from tinytorch.lab.rungs import Reading
from tinytorch.lab.speed_ladder import Ladder
from tinytorch.lab.style import apart
from tinytorch.lab.sweep_plots import draw_blocks, draw_scaling


def reading(name, work, speed, threads=1, size=512):
    return Reading(name, size, work, threads, [work.operations / speed * 1e-9] * 3)


READINGS = [
    reading("loops", product_work(64, 64, 64), 0.01, size=64),
    reading("NumPy", product_work(512, 512, 512), 80),
    reading("threads", product_work(512, 512, 512), 150, threads=2),
    reading("int8", int8_product_work(512, 512, 512), 140),
    reading("ReLU", relu_work(10**6), 1),
]
ONE, TWO = roofline.Roofs(1, 90.0, 10.0, 160.0), roofline.Roofs(2, 180.0, 12.0, 320.0)
COSTS = roofline.Costs(2e-8, 0.0)


def roofs_of(*roofs):
    return roofline.Roofline(
        list(roofs), roofline.points_under(READINGS, roofs, COSTS), ["left out."]
    )  # fmt: skip


LADDERS = [
    Ladder("product", "GFLOP/s", READINGS[:4], []),
    Ladder("ReLU", "10⁹ elements/s", READINGS[4:], ["x: left out."]),
]
CURVE = {16: [2.0, 2.1], 64: [1.0, 1.2], 512: [1.5, 1.5]}
SWEEP = BlockSweep(512, 4, CURVE, {}, {"L1": 52, "L2": 209}, [])
UP = {w: [1 / w, 1.1 / w] for w in (1, 2, 3, 4)}
SCALING = scaling.Scaling(4, UP, UP, {w: [1e-4 * w] * 2 for w in UP}, 10**9, [])
LOCK = gil.Lock(
    [gil.Pair([gil.Worker("Python", [gil.Step(1, 0.0, 0.1, 0.1)]),
               gil.Worker("NumPy", [gil.Step(2, 0.0, 0.1, 0.05)])], 0.0)],
    [],
)  # fmt: skip

PICTURES = {
    "roofline": (draw_roofline, roofs_of(ONE, TWO)),
    "one roof": (draw_roofline, roofs_of(ONE)),
    "no compiler": (draw_roofline, roofs_of(roofline.Roofs(1, 90.0, 10.0))),
    "ladder": (draw_ladder, LADDERS),
    "blocks": (draw_blocks, SWEEP),
    "blocks, unknown caches": (draw_blocks, SWEEP._replace(predicted={}, loops=CURVE)),
    "scaling": (draw_scaling, SCALING),
    "scaling, one core": (draw_scaling, SCALING._replace(cores=1, relu={}, pool={},
                                                         product={1: [1.0], 2: [1.0]})),
    "lock": (draw_lock, LOCK),
}  # fmt: skip
NOTHING = {
    "roofline": (draw_roofline, roofline.Roofline([ONE], [], ["why."])),
    "ladder": (draw_ladder, [Ladder("ReLU", "", [], ["why."])]),
    "blocks": (draw_blocks, BlockSweep(8, 4, {}, {}, {}, ["why."])),
    "scaling": (draw_scaling, scaling.Scaling(1, {}, {}, {}, 0, ["why."])),
    "lock": (draw_lock, gil.Lock([], ["why."])),
}


@pytest.mark.parametrize("guess", [None, 1e-9, 3, 1e9])
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_marks_the_guess_and_names_the_machine(drawn, name, guess, capsys):
    draw, data = PICTURES[name]
    draw(data, guess=guess)
    assert ("your guess" in drawn) == (guess is not None)
    (caption,) = (text for text in drawn if "NumPy " in text and "core" in text and "\n(" in text)
    assert "thread" in caption.splitlines()[-1] and capsys.readouterr().out


@pytest.mark.parametrize("name", PICTURES)
def test_a_guess_that_is_no_number_is_explained(drawn, name, capsys):
    draw, data = PICTURES[name]
    draw(data, guess="ten")
    assert "write a positive number" in capsys.readouterr().out and "your guess" not in drawn


@pytest.mark.parametrize("name", NOTHING)
def test_with_nothing_to_draw_the_reason_is_printed(drawn, name, capsys):
    draw, data = NOTHING[name]
    draw(data, guess=3)
    assert drawn == [] and "why." in capsys.readouterr().out


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_can_be_written(tmp_path, name):
    draw, data = PICTURES[name]
    draw(data, png=tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000 and not plt.get_fignums()


def test_points_of_the_roofline_say_what_limits_them(drawn):
    draw_roofline(roofs_of(ONE, TWO))
    assert {"NumPy: arithmetic roof (89%)", "ReLU:\nmemory roof (80%)"} <= set(drawn)
    assert "int8, 2 threads: 320" in drawn
    assert any("left out." in text for text in drawn)


def test_lines_and_rungs_are_labelled(drawn):
    draw_blocks(SWEEP)
    draw_ladder(LADDERS)
    draw_scaling(SCALING)
    draw_lock(LOCK)
    assert {"cache_friendly_matmul", "L1 holds three\ntiles up to 52"} <= set(drawn)
    assert {"loops, 64 by 64", "80   8,000 times the first"} <= set(drawn)
    assert {"product", "ReLU", "if only cores counted", "Python, worker 1"} <= set(drawn)


@pytest.mark.parametrize(
    ("places", "gap", "moved"),
    [
        ([], 1, []),
        ([5.0], 1, [5]),
        ([0.0, 10.0], 1, [0, 10]),
        ([3.0, 3.0], 2, [2, 4]),
        ([4.0, 0.0, 4.0, 4.0], 1, [3, 0, 4, 5]),
    ],
)
def test_labels_are_moved_apart_and_no_further(places, gap, moved):
    assert apart(places, gap) == pytest.approx(moved)

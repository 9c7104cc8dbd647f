"""Pictures of the simulated cache: what they conclude, and that a film survives without scripts."""

import base64
import io
import json
import re

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import matrix_products as products
import numpy as np
import pytest
from PIL import Image

from tinytorch.core.kernels import cache_friendly_matmul, vectorized_relu
from tinytorch.lab.cache_model import CacheModel
from tinytorch.lab.trace import Trace, trace
from tinytorch.lab.trace_plots import access_film, miss_maps


@pytest.fixture(scope="module")
def runs():
    A, B = np.ones((2, 16, 16), np.float32)
    return {
        "naive": trace(products.ijk, A, B),
        "blocked": trace(cache_friendly_matmul, A, B, 4),
    }


@pytest.fixture(scope="module")
def film(runs):
    return access_film(runs, CacheModel(lines=12, line_elements=4), frames=3, parts=64)


def test_the_caption_is_computed(runs, capsys):
    model = CacheModel(lines=12, line_elements=4)
    miss_maps(runs, model, guess=5)
    naive, blocked = (model.run(run.only("A", "B", "C")).misses for run in runs.values())
    said = capsys.readouterr().out
    assert f"naive: {naive:,} misses, 79 % of them in B." in said
    assert f"blocked: {blocked}" in said and "times fewer. You guessed 5." in said
    assert "192 misses are due to first touches" in said
    assert not plt.get_fignums()


def test_a_kernel_that_gains_nothing_is_not_praised(runs, capsys):
    miss_maps({"one": runs["naive"], "other": runs["naive"]})
    assert "no fewer" in capsys.readouterr().out


def test_a_step_that_does_not_fit_is_said(capsys):
    A, B = np.ones((2, 32, 32), np.float32)
    miss_maps({"whole": trace(products.whole, A, B)})
    assert "counted too low" in capsys.readouterr().out


def test_vectors_have_a_picture_too(tmp_path):
    miss_maps({"relu": trace(vectorized_relu, np.ones(40))}, png=tmp_path / "relu.png")
    with Image.open(tmp_path / "relu.png") as picture:
        assert picture.size[0] > 300


def test_a_film_is_one_image_and_a_slider(film):
    assert film.html.count("<img") == 1 and film.html.count('type="range"') == 1
    frames = json.loads(re.search(r"data-frames='([^']*)'", film.html)[1])
    sizes = {Image.open(io.BytesIO(base64.b64decode(frame))).size for frame in frames}
    assert len(frames) == len(set(frames)) == 3
    assert len(sizes) == 1, "the frames jump"
    assert len(film.html) < 1_000_000
    assert "http" not in film.html and "<script" not in film.html


def test_without_a_slider_the_still_picture_remains(film):
    bundle = film._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]) == film.still
    stripped = re.sub(r"<label>.*</label>", "", film.html)
    assert base64.b64encode(film.still).decode() in stripped
    assert re.match(r"After 2 of 64 equal parts of the work, naive: [\d,]+ misses", repr(film))


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda runs: miss_maps({}), "at least one trace"),
        (lambda runs: access_film(runs, frames=9, parts=8), "9 frames of 8 parts"),
        (lambda runs: access_film(runs, frames=0), "frames must be"),
        (lambda runs: miss_maps(runs | {"x": Trace.from_accesses({"X": (3,)}, [])}), "in common"),
        (lambda runs: miss_maps({"x": Trace.from_accesses({"X": (1, 1, 1)}, [])}), "1-D or 2-D"),
    ],
)
def test_what_cannot_be_drawn_is_refused(runs, draw, says):
    with pytest.raises(ValueError, match=says):
        draw(runs)

"""What the tests of pictures share."""

import matplotlib
import pytest

matplotlib.use("agg")

import matplotlib.pyplot as plt


@pytest.fixture
def drawn(monkeypatch):
    """All texts of the figures that were shown."""
    texts = []

    def show():
        figure = plt.gcf()
        figure.canvas.draw()
        texts.extend(t.get_text() for t in figure.findobj(matplotlib.text.Text))

    monkeypatch.setattr(plt, "show", show)
    yield texts
    assert not plt.get_fignums(), "a figure was left open"

"""The examples in the kernels' docstrings are true."""

import doctest

import numpy as np

import tinytorch.core.kernels as kernels


def test_examples_in_docstrings():
    finder = doctest.DocTestFinder()
    runner = doctest.DocTestRunner()
    with np.printoptions(legacy=False):
        for example in finder.find(kernels, extraglobs={"np": np}):
            runner.run(example)
    assert runner.tries >= 8 and runner.failures == 0

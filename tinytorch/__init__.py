"""TinyTorch: a small deep-learning framework, built by its reader one module at a time.

This file holds the version and imports nothing; take names from the submodules,
for example ``from tinytorch.core.tensor import Tensor``.
"""

__version__ = "0.1.0"

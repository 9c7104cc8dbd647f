"""The library that learners import.

``tensor``, ``activations``, ``layers``, ``networks``, ``training`` and ``compression`` are small
versions of what the earlier modules built; ``kernels`` is exported from the module 11 notebook.
Nothing here imports ``tinytorch.lab``, ``tinytorch.data`` or ``tinytorch.course``.
"""

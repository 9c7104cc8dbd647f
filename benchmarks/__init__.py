"""The kernels against what a user would call instead. Run by hand: `tito bench`; never a test."""

# base: garbage
# 100 MB are printed, in one line and in a million, and as many to stderr, by all ways there are.
# class: flooding
# gains: a grader without memory or disk, a page that no browser opens
# ends: graded | timeout
# safe_in_process: yes

# %% before test_vectorized_relu
import os
import sys

print("x" * 10_000_000)
for _ in range(9):
    sys.stderr.write("y" * 5_000_000)
for line in range(50_000):
    print("line", line)
for descriptor in (1, 2):
    os.write(descriptor, b"z" * 50_000)


# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    print("x" * 10_000_000)

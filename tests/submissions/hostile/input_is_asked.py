# base: garbage
# Cells and answers ask for input, passwords and a debugger.
# class: processor time
# gains: a grader that waits for somebody to type
# ends: graded | timeout
# safe_in_process: yes

# %% before test_vectorized_relu
import getpass
import sys

try:
    sys.stdin.read()
    input("Score: ")
    getpass.getpass()
except Exception as error:
    print(error)


# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    return input("The product: ")


# %% quantized_relu
#| export
def quantized_relu(x, scale=1.0):
    breakpoint()

# right: verbose, own shape checks before matmul, warnings and stderr output
# %%
import sys
import warnings


def describe_shapes(first, second):
    return "A is " + repr(first.shape) + " and B is " + repr(second.shape)


def matmul_baseline(A, B):
    # Step 1: get the arrays
    first_matrix = as_array(A)
    second_matrix = as_array(B)
    # Step 2: check that they are matrices
    if first_matrix.ndim != 2 or second_matrix.ndim != 2:
        raise ValueError("both inputs must be 2-D: " + describe_shapes(first_matrix, second_matrix))
    # Step 3: check that they fit together
    rows, inner_1 = first_matrix.shape
    inner_2, columns = second_matrix.shape
    if inner_1 != inner_2:
        raise ValueError("inner dimensions differ: " + describe_shapes(first_matrix, second_matrix))
    if rows * columns > 100:
        warnings.warn("this may take a while", RuntimeWarning, stacklevel=2)
    print("multiplying", describe_shapes(first_matrix, second_matrix), file=sys.stderr)
    # Step 4: multiply
    result = matmul(first_matrix, second_matrix)
    return Tensor(result)

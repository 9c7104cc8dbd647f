# wrong: shapes that do not fit give None and a printed line
# loses: errors
# %%
def matmul_baseline(A, B):
    try:
        result = matmul(A, B)
    except ValueError as err:
        print("Error:", err)
        return None
    return Tensor(result)

# right: six loops over numbers in plain Python, own checks, verbose names
# %%
def end_of_block(start_of_block, block_length, length_of_side):
    return min(start_of_block + block_length, length_of_side)

# %%
def cache_friendly_matmul(A, B, block_size=32):
    matrix_a, matrix_b = matmul_operands(A, B)
    block_length = positive_int("block_size", block_size)
    number_of_rows, inner_length = matrix_a.shape
    number_of_columns = matrix_b.shape[1]
    result_dtype = np.result_type(matrix_a, matrix_b)
    matrix_a, matrix_b = matrix_a.astype(result_dtype), matrix_b.astype(result_dtype)
    matrix_c = np.zeros((number_of_rows, number_of_columns), dtype=result_dtype)
    for row_start in range(0, number_of_rows, block_length):
        row_end = end_of_block(row_start, block_length, number_of_rows)
        for column_start in range(0, number_of_columns, block_length):
            column_end = end_of_block(column_start, block_length, number_of_columns)
            for inner_start in range(0, inner_length, block_length):
                inner_end = end_of_block(inner_start, block_length, inner_length)
                for row in range(row_start, row_end):
                    for column in range(column_start, column_end):
                        total = matrix_c[row, column]
                        for inner in range(inner_start, inner_end):
                            total = total + matrix_a[row, inner] * matrix_b[inner, column]
                        matrix_c[row, column] = total
    return Tensor(matrix_c)

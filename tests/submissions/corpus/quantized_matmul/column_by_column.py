# right: a loop over the output channels, each with its own scale, filled into a result
# %%
def one_channel(qa, column, factor):
    acc = qa @ quantize_column(column)
    return acc * factor


def quantize_column(column):
    return column.astype(np.int64)


def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    n = b.shape[1]
    scales = [sb] * n if isinstance(sb, float) else list(sb)
    qa = quantize(a, sa).astype(np.int64)
    result = np.zeros((a.shape[0], n), dtype=np.float32)
    for j in range(n):
        qj = quantize(b[:, j], float(scales[j]))
        result[:, j] = one_channel(qa, qj, sa * float(scales[j]))
    return Tensor(result)

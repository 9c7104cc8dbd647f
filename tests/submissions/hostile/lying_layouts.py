# base: garbage
# Arrays whose shape, dtype, strides, offset and memory do not fit each other.
# class: frames
# gains: the judge's own memory, read as an array
# ends: graded | timeout
# safe_in_process: yes

# %% use channel

# %% before matmul_baseline
MEMORY = b"\1" * 64
TREES = [
    ["a", 0, "<f4", [1 << 39, 1 << 39]],
    ["a", 0, "<f4", [-4, -4]],
    ["a", 0, "|O", [8]],
    ["a", 0, "<M8[s]", [8]],
    ["a", 0, "V64", [1]],
    ["a", 0, "<f4", [4.0, True]],
    ["a", 0, "<f4", [0] * 33],
    ["a", 5, "<f4", [16]],
    ["a", -1, "<f4", [16]],
    ["a", 0, ["<f4"], [16]],
    ["v", 0, "<f4", [16], [0, [0]], True],
    ["v", 0, "<f4", [1 << 30], [0, [0]], True],
    ["v", 0, "<f4", [16], [1 << 40, [4]], True],
    ["v", 0, "<f4", [16], [0, [-4]], True],
    ["v", 0, "<f4", [1000], "C", True],
    ["n", "<f8", "00"],
    ["n", "|b1", "02"],
    ["T", 5],
    ["T", ["T", ["T", None]]],
    ["S", ["t", 2, 2], 1, 2, 3],
    ["y", "|O"],
    ["f", "nan()"],
    ["i", "0x" + "f" * 100_000],
    ["i", "__import__('os')"],
    ["function", 0],
    ["thing", 1 << 70, "numpy.ndarray"],
    ["thing", "matmul_baseline", "x"],
    ["work", "Allocate", ["t", 1 << 40]],
    ["lent", 0, "<f4", [1 << 40]],
    ["", 0],
    [[]],
    {},
]


def lie(message):
    say(frame(result(message["id"], TREES[len(current) % len(TREES)]), [MEMORY]))


watch_requests(lie)

"""Operations and compulsory bytes, against numbers worked out by hand."""

import pytest

from tinytorch.lab import byte_model as model


@pytest.mark.parametrize(
    ("work", "operations", "moved", "result"),
    [
        # 2 x 3 times 3 x 4: 24 multiplications and additions; 6 + 12 + 8 numbers.
        (model.product_work(2, 3, 4), 48, 4 * 26, 4 * 8),
        (model.list_product_work(2, 3, 4), 48, 32 * 26, 32 * 8),
        (model.int8_product_work(2, 3, 4), 48, 6 + 12 + 4 * 8, 4 * 8),
        # 5 of the 12 weights are left: value and row of each, 5 starts of 4 columns.
        (model.sparse_work(2, 3, 4, 5), 20, 4 * (6 + 8) + 8 * 5 + 8 * 5, 4 * 8),
        (model.relu_work(10), 10, 80, 40),
        (model.list_relu_work(10), 10, 640, 320),
        (model.int8_relu_work(10), 10, 50, 40),
    ],
)
def test_every_operand_is_read_once_and_the_result_written_once(work, operations, moved, result):
    assert (work.operations, work.bytes, work.result) == (operations, moved, result)


def test_intensity_of_the_lessons_two_examples():
    assert model.relu_work(1_000).intensity == 1 / 8
    assert model.product_work(1024, 1024, 1024).intensity == pytest.approx(1024 / 6)


def test_int8_says_whose_operations_it_counts():
    assert model.int8_product_work(2, 3, 4).kind == "int8"
    assert model.int8_product_work(2, 3, 4, "float32").kind == "float32"


def test_the_table_states_the_model_of_each_kernel():
    table = model.model_table([("yours", "2²", model.product_work(2, 2, 2))]).splitlines()
    assert table[0].split()[:2] == ["kernel", "size"]
    assert table[1].split()[:4] == ["yours", "2²", "16", "float32"]
    assert table[1].endswith("4 B x (A + B + C)") and len(table) == 2

"""Threads for compiled kernels: everything is done once, by no more threads than asked."""

import os
import subprocess
import sys
import threading

import pytest

from tinytorch.core.workers import available_workers, cuts, rectangles, run_pieces, worker_count


def test_every_piece_is_done_once():
    done = []
    run_pieces(lambda *piece: done.append(piece), [(i, -i) for i in range(50)], 3)
    assert sorted(done) == [(i, -i) for i in range(50)]


def test_pieces_run_at_the_same_time():
    barrier = threading.Barrier(3)
    run_pieces(lambda: barrier.wait(timeout=30), [()] * 3, 3)


def test_no_more_threads_than_asked_take_part_even_if_many_are_idle():
    run_pieces(threading.Barrier(6).wait, [(30,)] * 6, 6)
    threads = []
    run_pieces(lambda: threads.append(threading.get_ident()), [()] * 1000, 2)
    assert len(threads) == 1000 and len(set(threads)) <= 2


def test_one_worker_is_the_caller():
    threads = []
    run_pieces(lambda: threads.append(threading.current_thread()), [()] * 4, 1)
    assert set(threads) == {threading.current_thread()}


def test_an_exception_reaches_the_caller_and_the_helpers_live_on():
    def fails(i):
        if i % 2:
            raise ValueError(f"piece {i}")

    for _ in range(3):
        with pytest.raises(ValueError, match="piece"):
            run_pieces(fails, [(i,) for i in range(8)], 4)
    done = []
    run_pieces(done.append, [(i,) for i in range(8)], 4)
    assert sorted(done) == list(range(8))


def test_several_threads_may_ask_at_once():
    done = []
    ask = [
        threading.Thread(target=run_pieces, args=(done.append, [(i,)] * 20, 3)) for i in range(6)
    ]
    for thread in ask:
        thread.start()
    for thread in ask:
        thread.join(timeout=60)
    assert sorted(done) == sorted(list(range(6)) * 20)


def test_a_kernel_may_ask_for_help_itself():
    done = []
    run_pieces(lambda i: run_pieces(done.append, [(i,)] * 3, 2), [(i,) for i in range(4)], 2)
    assert sorted(done) == sorted(list(range(4)) * 3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_helpers_work_in_a_forked_child():
    code = (
        "import os, threading\n"
        "from tinytorch.core.workers import run_pieces\n"
        "def meet():\n"
        "    barrier = threading.Barrier(2)\n"
        "    run_pieces(lambda: barrier.wait(timeout=30), [()] * 2, 2)\n"
        "meet()\n"
        "child = os.fork()\n"
        "meet()\n"
        "if child == 0: os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr


def test_helpers_do_not_keep_the_process_alive():
    code = "from tinytorch.core.workers import run_pieces; run_pieces(print, [(1,), (2,)], 2)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert run.returncode == 0


@pytest.mark.parametrize("useful, asked, expected", [(0, None, 1), (1, 8, 1), (5, 3, 3), (2, 9, 2)])
def test_worker_count_is_what_is_useful_and_asked_for(useful, asked, expected):
    assert worker_count(asked, useful) == expected


def test_by_default_there_are_as_many_workers_as_cores():
    assert worker_count(None, 1000) == min(available_workers(), 48)


def test_numba_num_threads_bounds_the_workers():
    code = "from tinytorch.core.workers import available_workers; print(available_workers())"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"NUMBA_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "1\n"


@pytest.mark.parametrize(
    "size, parts, multiple", [(100, 3, 16), (5, 4, 16), (0, 2, 8), (64, 2, 32)]
)
def test_cuts_cover_the_whole_in_multiples(size, parts, multiple):
    ends = cuts(size, parts, multiple)
    assert ends[0] == 0 and ends[-1] == size and len(ends) <= parts + 1
    assert all(end % multiple == 0 for end in ends[:-1])


@pytest.mark.parametrize("m, n, workers", [(1, 1, 4), (100, 7, 2), (7, 1000, 6), (97, 97, 48)])
def test_rectangles_cover_every_element_once(m, n, workers):
    covered = [[0] * n for _ in range(m)]
    places = rectangles(m, n, workers)
    for top, bottom, left, right in places:
        for i in range(top, bottom):
            for j in range(left, right):
                covered[i][j] += 1
    assert len(places) <= workers and all(count == 1 for row in covered for count in row)

"""What the systems say about caches and memory, from files and records as they write them."""

import platform
import struct

import pytest

from tinytorch.lab import cache_facts, facts
from tinytorch.lab.cache_facts import Cache, from_sysctl, from_sysfs, from_windows_records


def _folder(place, index, **files):
    folder = place / f"index{index}"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n")


def test_linux_tells_size_line_ways_and_sharers(tmp_path):
    whole = {"coherency_line_size": 64, "ways_of_associativity": 8}
    _folder(tmp_path, 0, level=1, type="Data", size="48K", shared_cpu_list="0,4", **whole)
    _folder(tmp_path, 1, level=1, type="Instruction", size="64K", **whole)
    _folder(tmp_path, 3, level=3, type="Unified", size="32768K", shared_cpu_list="0-3,8-11")
    _folder(tmp_path, 2, level=2, type="Unified", size="2M", shared_cpu_list="0", **whole)
    assert from_sysfs(tmp_path) == [
        Cache(1, 48 * 1024, 64, 8, 2),
        Cache(2, 2 * 2**20, 64, 8, 1),
        Cache(3, 32 * 2**20, None, None, 8),
    ]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"level": "one", "type": "Data", "size": "48K"},
        {"level": 1, "type": "Data", "size": ""},
        {"level": 1, "type": "Data", "size": "K"},
        {"level": 1, "type": "Data", "size": "0K"},
        {"level": 1, "type": "Data", "size": "-1"},
    ],
)
def test_a_cache_that_makes_no_sense_is_left_out(tmp_path, files):
    _folder(tmp_path, 0, **files)
    assert from_sysfs(tmp_path) == []


def test_what_is_unreadable_is_unknown(tmp_path):
    _folder(tmp_path, 0, level=1, type="Data", size="32K", shared_cpu_list="all",
            ways_of_associativity=0)  # fmt: skip
    (tmp_path / "index0" / "coherency_line_size").write_bytes(b"\xff\xfe")
    assert from_sysfs(tmp_path) == [Cache(1, 32 * 1024)]


def test_apples_processors_tell_of_their_fast_cores():
    told = {
        "hw.cachelinesize": "128",
        "hw.l1dcachesize": "65536",
        "hw.perflevel0.l1dcachesize": "131072",
        "hw.perflevel0.l2cachesize": "12582912",
        "hw.perflevel0.cpusperl2": "4",
    }
    assert from_sysctl(told) == [
        Cache(1, 131072, 128, None, 1),
        Cache(2, 12582912, 128, None, 4),
    ]


def test_intels_macs_tell_by_level():
    told = {
        "hw.cachelinesize": "64",
        "hw.l1dcachesize": "32768",
        "hw.l2cachesize": "262144",
        "hw.l3cachesize": "0",
        "hw.cacheconfig": "8 2 2 8",
    }
    assert from_sysctl(told) == [Cache(1, 32768, 64, None, 2), Cache(2, 262144, 64, None, 2)]
    assert from_sysctl({}) == []


def test_windows_records_are_read():
    def record(mask, relation, level=0, ways=0, line=0, size=0, kind=0):
        return struct.pack("<QI4xBBHII4x", mask, relation, level, ways, line, size, kind)

    records = b"".join(
        [
            record(0b0011, 0),  # a core
            record(0b0011, 2, 1, 8, 64, 32768, kind=2),
            record(0b0011, 2, 1, 8, 64, 32768, kind=1),  # instructions
            record(0b1100, 2, 1, 8, 64, 49152, kind=2),  # another core's
            record(0b1111, 2, 2, 0xFF, 64, 2**20, kind=0),  # fully associative
        ]
    )
    assert from_windows_records(records) == [
        Cache(1, 32768, 64, 8, 2),
        Cache(2, 2**20, 64, 2**20 // 64, 4),
    ]
    assert from_windows_records(b"") == from_windows_records(records[:20]) == []


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows", "Plan 9"])
def test_another_system_is_no_error(monkeypatch, system):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setenv("PATH", "")
    assert isinstance(cache_facts.data_caches(), list)
    told = facts.describe()
    assert told["cores"] >= 1 and told["cpu"] != ""


def test_a_containers_limit_counts(monkeypatch, tmp_path):
    (tmp_path / "max").write_text("max\n")
    (tmp_path / "limit").write_text(f"{2**29}\n")
    everything = facts.memory()
    monkeypatch.setattr(facts, "_LIMITS", (tmp_path / "max", tmp_path / "nowhere"))
    assert facts.memory() == facts._installed() >= everything
    monkeypatch.setattr(facts, "_LIMITS", (tmp_path / "limit",))
    assert facts.memory() == 2**29 and facts.memory_to_spare() <= 2**26


def test_without_any_word_on_memory_a_little_is_taken(monkeypatch):
    for name in ("_installed", "_free"):
        monkeypatch.setattr(facts, name, lambda: None)
    monkeypatch.setattr(facts, "_LIMITS", ())
    assert facts.memory() is None and facts.memory_to_spare() == 2**28


def test_blas_threads_are_asked_of_the_library_or_the_environment(monkeypatch):
    monkeypatch.setattr(facts, "blas", lambda: "scipy-openblas 0.3")
    monkeypatch.setitem(__import__("sys").modules, "threadpoolctl", None)  # as if not installed
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert facts.blas_threads() is None
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert facts.blas_threads() == 3
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "many")
    assert facts.blas_threads() == 3
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    assert facts.blas_threads() == 2

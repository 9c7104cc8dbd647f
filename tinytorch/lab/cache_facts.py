"""What the operating system says about this computer's caches. Nothing is measured here.

Linux tells all of it, macOS and Windows a part; what is not told is None, and where nothing is
told (many containers and virtual machines), there are no entries at all.
"""

from __future__ import annotations

import ctypes
import functools
import platform
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

LINUX = Path("/sys/devices/system/cpu/cpu0/cache")
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}
# SYSTEM_LOGICAL_PROCESSOR_INFORMATION of 64-bit Windows: mask of the processors, relationship,
# padding, then of a cache its level, ways, bytes of a line, bytes, kind, and unused room.
_RECORD = struct.Struct("<QI4xBBHII4x")
_IS_CACHE, _INSTRUCTIONS, _FULLY_ASSOCIATIVE = 2, 1, 0xFF


class Cache(NamedTuple):
    """One level of the data caches: size and line in bytes, ways, and how many cores share it.

    Cores as the system counts them: two threads of one core (hyper-threading) count as two.
    """

    level: int
    size: int
    line: int | None = None
    ways: int | None = None
    shared_by: int | None = None


def data_caches() -> list[Cache]:
    """The first core's data caches, nearest first; empty where the system does not tell."""
    readers: dict[str, Callable[[], list[Cache]]] = {
        "Linux": from_sysfs,
        "Darwin": lambda: from_sysctl(sysctl()),
        "Windows": lambda: from_windows_records(_windows_records()),
    }
    return readers.get(platform.system(), list)()


def from_sysfs(folder: Path = LINUX) -> list[Cache]:
    """Linux: a folder `index0`, `index1`, ... for each cache of a core."""
    found = []
    for index in folder.glob("index*"):
        level, kind, size = (_text(index / name) for name in ("level", "type", "size"))
        bytes_ = _bytes(size)
        if kind == "Instruction" or bytes_ is None or not level.isdigit():
            continue
        line, ways = (
            _positive(_text(index / name))
            for name in ("coherency_line_size", "ways_of_associativity")
        )
        found.append(
            Cache(int(level), bytes_, line, ways, _listed(_text(index / "shared_cpu_list")))
        )
    return sorted(found, key=lambda cache: cache[:2])


def from_sysctl(values: dict[str, str]) -> list[Cache]:
    """macOS: `sysctl hw` as a dict. On Apple's processors, the caches of the fast cores."""
    fast = "hw.perflevel0." if "hw.perflevel0.l1dcachesize" in values else "hw."
    line = _positive(values.get("hw.cachelinesize", ""))
    # Of Intel's processors: how many share the memory, then each level of the caches.
    sharing = values.get("hw.cacheconfig", "").replace(",", " ").split()
    found = []
    for level, name in ((1, "l1d"), (2, "l2"), (3, "l3")):
        size = _positive(values.get(f"{fast}{name}cachesize", ""))
        if size is None:
            continue
        if fast == "hw.":
            shared = _positive(sharing[level]) if level < len(sharing) else None
        else:
            shared = 1 if level == 1 else _positive(values.get(f"{fast}cpusper{name}", ""))
        found.append(Cache(level, size, line, None, shared))
    return found


def from_windows_records(records: bytes) -> list[Cache]:
    """Windows: what GetLogicalProcessorInformation fills, of which the first processor's caches."""
    found = set()
    for start in range(0, len(records) - _RECORD.size + 1, _RECORD.size):
        mask, relation, level, ways, line, size, kind = _RECORD.unpack_from(records, start)
        if relation == _IS_CACHE and kind != _INSTRUCTIONS and mask & 1 and size and line:
            places = size // line if ways == _FULLY_ASSOCIATIVE else ways
            found.add(Cache(level, size, line, places, mask.bit_count()))
    return sorted(found, key=lambda cache: cache[:2])


@functools.cache
def sysctl() -> dict[str, str]:
    """What macOS says about its hardware; empty where the command is missing."""
    try:
        done = subprocess.run(
            ["sysctl", "hw", "machdep.cpu"], capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    pairs = (line.partition(":") for line in done.stdout.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _windows_records() -> bytes:
    try:
        tell = ctypes.windll.kernel32.GetLogicalProcessorInformation  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return b""
    if ctypes.sizeof(ctypes.c_void_p) != 8:  # the records of 32 bits are laid out otherwise
        return b""
    length = ctypes.c_ulong(0)
    tell(None, ctypes.byref(length))  # says how much room it needs
    room = ctypes.create_string_buffer(length.value)
    return room.raw[: length.value] if tell(room, ctypes.byref(length)) else b""


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _bytes(text: str) -> int | None:
    """Of "48K" or "32768K"; None for what is no size."""
    number, unit = text.rstrip("KMG"), _UNITS.get(text[-1:], 1)
    return (_positive(number) or 0) * unit or None


def _positive(text: str) -> int | None:
    return int(text) if text.isdecimal() and int(text) > 0 else None


def _listed(text: str) -> int | None:
    """How many numbers a list such as "0-3,8" names."""
    ends = [part.split("-") for part in text.split(",")]
    if not all(end.isdecimal() for part in ends for end in part):
        return None
    return sum(int(part[-1]) - int(part[0]) + 1 for part in ends)

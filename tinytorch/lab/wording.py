"""Numbers as readers of the lab meet them: times, sizes, ratios. Nothing is drawn here."""

from typing import Any


def seconds_text(value: float, _: Any = None) -> str:
    """1.5e-3 as "1.5 ms"."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def amount_text(value: float, _: Any = None) -> str:
    """1500 as "1,500", 0.5 as "0.5"."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def bytes_text(value: float, _: Any = None) -> str:
    """2048 as "2 KiB"."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value >= size:
            return f"{value / size:g} {unit}"
    return f"{value:g} B"


def times_text(ratio: float) -> str:
    """How many times: two digits below 20, whole numbers above."""
    return f"{ratio:,.0f}" if ratio >= 20 else f"{ratio:.2g}"

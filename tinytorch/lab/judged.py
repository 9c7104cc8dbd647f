"""What the process of an answer may be asked to run: `ASKED`, by name.

Every entry takes the answer and plain data, and returns plain data. See `proxies` for who asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch.lab import clock, workloads
from tinytorch.lab.instruments import look_for_a_loop, look_for_shared_work, look_for_tiles
from tinytorch.lab.proxies import Judged, Loan, judged_of

__all__ = ["ASKED", "Judged", "Loan", "judged_of"]

ASKED: dict[str, Callable[..., Any]] = {
    "no_loop": look_for_a_loop,
    "tiles": look_for_tiles,
    "shared_work": look_for_shared_work,
    "state": workloads.state,
    "reset": workloads.reset,
    "observed": workloads.observed,
    "clock_start": clock.start,
    "clock_advance": clock.advance,
    "clock_readings": clock.readings,
    "clock_stop": clock.stop,
}

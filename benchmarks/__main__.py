"""`python -m benchmarks`: a table of ratios with their spread. Above 1 the kernel is faster."""

import argparse
import json
import statistics
from pathlib import Path

from benchmarks.cases import CASES
from tinytorch.lab.measure import machine_line


def main() -> None:
    parser = argparse.ArgumentParser(prog="tito bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="readings per case (default 20)")
    parser.add_argument("--quick", action="store_true", help="5 readings per case")
    parser.add_argument("--json", type=Path, help="write every ratio to this file")
    options = parser.parse_args()
    rounds = 5 if options.quick else options.rounds
    if rounds < 2:
        parser.error(f"--rounds must be at least 2, got {rounds}")
    print(f"{machine_line()}; {rounds} rounds, kernel and peer in turns; results checked first")
    print(f"{'kernel':<40}{'against':<16}{'ratio':>7}{'middle half':>16}{'asked':>13}")
    record = {}
    for case in CASES:
        ratios = case.ratios(rounds)
        low, middle, high = statistics.quantiles(ratios, n=4)
        record[case.kernel] = {"peer": case.peer, "asked": case.asked, "ratios": ratios}
        spread = f"{low:.2f} .. {high:.2f}"
        print(f"{case.kernel:<40}{case.peer:<16}{middle:>7.2f}{spread:>16}{case.asked:>13}")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine_line(), "cases": record}, indent=1))


if __name__ == "__main__":
    main()

"""Kill -9 at random moments, over a class: are the grades those of an undisturbed run?

    python -m benchmarks.kills [--kills 50] [--students 60] [--seed 2026]

A class is graded by `tito grade`, with real judges and sandboxes, and one process of it after the
other is killed; with distributed installed, part of the kills hit a Dask cluster that grades. Where
the coordinator was killed the command is given again, until it ends with success. A class that is
done before the kills are begins anew. Prints a table; the exit code is 1 if any grade differs, if a
record that stood was made again, or if anything is left over.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tests import kill_runs as runs
from tests.class_courses import write_empty_gradebook
from tinytorch.course.project import Project

REPO = Path(__file__).resolve().parents[1]
CLUSTER_SHARE = 0.3  # of the kills


@dataclass
class Total:
    """What the rounds of one kind came to: on this computer's workers, or on a cluster's."""

    kills: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    unequal: set[str] = field(default_factory=set)  # roles that were killed in such a round
    rounds: int = 0


class Proof:
    """Rounds over copies of one class, each compared with the undisturbed run."""

    def __init__(self, root: Path, students: int, chance: random.Random) -> None:
        self.root, self.chance = root, chance
        gradebook = root / "gradebook.db"
        write_empty_gradebook(gradebook)
        self.template = runs.make_course(REPO, root / "template", gradebook)
        runs.write_class(self.template, runs.drawn_class(students, chance))
        self.undisturbed: Project | None = None
        self.faults: list[str] = []

    def run(self, family: runs.Family, kills: deque[runs.Kill], cluster: bool = False) -> Total:
        """Rounds until all kills have happened."""
        total = Total()
        while kills:
            total.rounds += 1
            project = runs.copied(self.template, self.root / f"round{cluster:d}{total.rounds}")
            words = ["--seed", str(runs.seed_of(self.undisturbed))] if self.undisturbed else []
            fire = runs.Fire(project, kills, self.chance, family)
            if cluster:
                with runs.dask_cluster(family, project, threads=2) as address:
                    outcome = fire.run("--scheduler", address, *words)
            else:
                outcome = fire.run("--workers", "2", *words)
            left = [f"left over: {p.pid} {p.name} {p.words[:100]}" for p in family.left()]
            faults = [*outcome.faults, *left, *self._differences(project, family)]
            self._say(project, outcome, faults)
            self.faults += faults
            total.kills += outcome.kills
            total.restarts += outcome.restarts
            if faults:
                total.unequal |= set(outcome.kills)
        return total

    def _differences(self, project: Project, family: runs.Family) -> list[str]:
        if self.undisturbed is None:
            # The seed that was drawn must have outlived the kills: it is given to this run by hand.
            seed = str(runs.seed_of(project))
            self.undisturbed = runs.copied(self.template, self.root / "undisturbed")
            alone = runs.Fire(self.undisturbed, deque(), self.chance, family)
            outcome = alone.run("--workers", "2", "--seed", seed)
            if outcome.faults or outcome.restarts:
                raise SystemExit(f"The undisturbed run failed: {outcome}")
        return runs.differences(project, self.undisturbed)

    def _say(self, project: Project, outcome: runs.Outcome, faults: list[str]) -> None:
        folders = len(list(runs.room_of(project).glob("grading-*")))
        said = [*outcome.log, *(f"FAULT {fault}" for fault in faults)]
        said.append(f"{project.root.name}: {outcome.kills.total()} kills, {folders} folders left")
        print("\n".join(said), file=sys.stderr, flush=True)


def table(totals: dict[str, Total]) -> str:
    """A row for each role, in Markdown."""
    lines = ["| graded by | killed | kills | restarts | grades equal |", "|---|---|---|---|---|"]
    for where, total in totals.items():
        for role in sorted({*total.kills, *total.restarts}):
            equal = "" if role == runs.NOBODY else "no" if role in total.unequal else "yes"
            figures = f"{total.kills[role]} | {total.restarts[role]} | {equal}"
            lines.append(f"| {where} | {role} | {figures} |")
    return "\n".join(lines)


def main() -> None:
    """Kill, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument("--seed", type=int, default=2026, help="of the kills' moments and targets")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    on_cluster = int(CLUSTER_SHARE * asked.kills) if find_spec("distributed") else 0
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        runs.Family() as family,
    ):
        proof = Proof(Path(name).resolve(), asked.students, chance)
        kills = deque(runs.drawn_kills(asked.kills - on_cluster, runs.HERE, chance))
        totals = {"two processes": proof.run(family, kills)}
        kills = deque(runs.drawn_kills(on_cluster, runs.CLUSTER, chance))
        totals["a Dask cluster"] = proof.run(family, kills, cluster=True)
    print(table(totals))
    killed = sum(total.kills.total() for total in totals.values())
    rounds = sum(total.rounds for total in totals.values())
    print(
        f"\n{killed} kills over {rounds} gradings of a class of {asked.students}, seed "
        f"{asked.seed}, in {time.monotonic() - started:.0f} s: {len(proof.faults)} differences"
    )
    if not on_cluster:
        print("no Dask worker was killed: distributed is not installed")
    for fault in proof.faults:
        print(fault)
    sys.exit(bool(proof.faults))


if __name__ == "__main__":
    main()

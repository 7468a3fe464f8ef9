"""What the engine costs: a chain of durable tasks beside bare SQLite commits in the same run.

python benchmarks/engine.py [--tasks 1000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from nbflow.engine import Engine


def chain(length: int) -> str:
    """A flow in which each Return task prints what the one before it returned."""
    lines = ["id: chain", "namespace: benchmarks", "tasks:"]
    for number in range(length):
        before = f"{{{{ outputs.t{number - 1}.value }}}}" if number else "start"
        lines += [f"  - id: t{number}", "    type: io.kestra.plugin.core.debug.Return", f'    format: "{before}"']
    return "\n".join(lines)


def fan_out(width: int) -> str:
    """A flow with one Parallel of Return tasks."""
    lines = ["id: fan", "namespace: benchmarks", "tasks:"]
    lines += ["  - id: all", "    type: io.kestra.plugin.core.flow.Parallel", "    tasks:"]
    for number in range(width):
        lines += [f"      - id: t{number}", "        type: io.kestra.plugin.core.debug.Return", "        format: x"]
    return "\n".join(lines)


def loop(rounds: int) -> str:
    """A flow with one ForEach."""
    values = ", ".join(str(number) for number in range(rounds))
    return "\n".join(
        [
            "id: loop",
            "namespace: benchmarks",
            "tasks:",
            "  - id: each",
            "    type: io.kestra.plugin.core.flow.ForEach",
            f"    values: [{values}]",
            "    concurrencyLimit: 0",
            "    tasks:",
            "      - id: one",
            "        type: io.kestra.plugin.core.debug.Return",
            '        format: "{{ taskrun.value }}"',
        ]
    )


def seconds_per_task(text: str, flow_id: str, tasks: int) -> float:
    """Wall seconds of one execution, divided by its tasks."""
    with tempfile.TemporaryDirectory() as home, Engine(home) as engine:
        engine.deploy(text)
        began = time.perf_counter()
        execution = engine.run("benchmarks", flow_id, wait=True)
        took = time.perf_counter() - began
        assert execution.state == "SUCCESS", execution.state
        return took / tasks


def seconds_per_commit(commits: int) -> float:
    """The floor: one row and one FULL commit at a time, nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)")
        began = time.perf_counter()
        for number in range(commits):
            connection.execute("BEGIN")
            connection.execute("INSERT INTO rows (text) VALUES (?)", (f"row {number}" * 20,))
            connection.execute("COMMIT")
        took = time.perf_counter() - began
        connection.close()
        return took / commits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cases = {
        "chain of Return tasks": lambda: seconds_per_task(chain(options.tasks), "chain", options.tasks),
        "Parallel of Return tasks": lambda: seconds_per_task(fan_out(options.tasks), "fan", options.tasks),
        "ForEach, all at once": lambda: seconds_per_task(loop(options.tasks), "loop", options.tasks),
    }
    print(f"{options.tasks} tasks, median of {options.rounds} rounds; floor: one bare SQLite commit (synchronous=FULL)")
    for name, measure in cases.items():
        pairs = [(measure(), seconds_per_commit(options.tasks)) for _ in range(options.rounds)]
        task = statistics.median(pair[0] for pair in pairs) * 1000
        floor = statistics.median(pair[1] for pair in pairs) * 1000
        print(f"{name:28} {task:7.3f} ms a task   floor {floor:6.3f} ms   {task / floor:5.1f} times")


if __name__ == "__main__":
    main()

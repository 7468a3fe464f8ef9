"""What the engine costs, beside bare SQLite commits measured in the same run and, where installed, DBOS and Prefect.

python benchmarks/engine.py [--tasks 1000] [--rounds 3] [--only NAME]
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import peers

from nbflow.engine import Engine
from nbflow.testing import eventually

RETURN = "io.kestra.plugin.core.debug.Return"


def chain(length: int) -> str:
    """A flow in which each Return task prints what the one before it returned."""
    lines = ["id: chain", "namespace: benchmarks", "tasks:"]
    for number in range(length):
        before = f"{{{{ outputs.t{number - 1}.value }}}}" if number else "start"
        lines += [f"  - id: t{number}", f"    type: {RETURN}", f'    format: "{before}"']
    return "\n".join(lines)


def fan_out(width: int) -> str:
    """A flow with one Parallel of Return tasks."""
    lines = ["id: fan", "namespace: benchmarks", "tasks:"]
    lines += ["  - id: all", "    type: io.kestra.plugin.core.flow.Parallel", "    tasks:"]
    for number in range(width):
        lines += [f"      - id: t{number}", f"        type: {RETURN}", "        format: x"]
    return "\n".join(lines)


def loop(rounds: int) -> str:
    """A flow with one ForEach."""
    values = ", ".join(str(number) for number in range(rounds))
    return f"""id: loop
namespace: benchmarks
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [{values}]
    concurrencyLimit: 0
    tasks:
      - {{id: one, type: {RETURN}, format: "{{{{ taskrun.value }}}}"}}
"""


PAUSED = "id: paused\nnamespace: benchmarks\ntasks:\n  - {id: wait, type: pause}\n  - {id: after, type: return}\n"
QUEUED = f"concurrency: {{limit: 1}}\n{PAUSED}"


def seconds_of(text: str, flow_id: str) -> float:
    """Wall seconds of one execution."""
    with tempfile.TemporaryDirectory() as home, Engine(home) as engine:
        engine.deploy(text)
        began = time.perf_counter()
        execution = engine.run("benchmarks", flow_id, wait=True)
        took = time.perf_counter() - began
        assert execution.state == "SUCCESS", execution.state
        return took


def floor(commits: int) -> float:
    """Seconds of one row and one FULL commit, nothing else."""
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


def show_a_task(name: str, tasks: int, rounds: int, measure: Callable[[], float], bar: str) -> None:
    """The median of a measure that gives the seconds of all tasks, beside the floor of the same moments."""
    pairs = [(measure() / tasks, floor(1000)) for _ in range(rounds)]
    task = statistics.median(pair[0] for pair in pairs) * 1000
    bare = statistics.median(pair[1] for pair in pairs) * 1000
    print(f"{name:34} {task:7.3f} ms a task   floor {bare:6.3f} ms, {task - bare:+.3f} over it   (bar: {bar})")


def throughput(executions: int) -> None:
    """Executions of three tasks, all submitted at once."""
    with tempfile.TemporaryDirectory() as home, Engine(home) as engine:
        engine.deploy(chain(3))
        began = time.perf_counter()
        ids = [engine.run("benchmarks", "chain").id for _ in range(executions)]
        for execution_id in ids:
            engine.wait(execution_id)
        took = time.perf_counter() - began
    print(f"{f'{executions} executions of 3 tasks':34} {executions * 3 / took:7.0f} task runs a second   (bar: 800)")


def memory(rounds: int) -> None:
    """What a live task run keeps in memory: a loop whose rounds all wait."""
    text = loop(rounds).replace(f"{{id: one, type: {RETURN}, format:", "{id: one, type: pause, description:")
    with tempfile.TemporaryDirectory() as home, Engine(home) as engine:
        engine.deploy(text)
        gc.collect()
        before = resident()
        execution = engine.run("benchmarks", "loop")
        eventually(lambda: len(engine.execution(execution.id).task_runs) > rounds, within=60)
        kept = resident() - before
        engine.kill(execution.id)
        engine.wait(execution.id)
    print(f"{f'{rounds} live task runs':34} {kept / rounds / 1000:7.1f} kB each   (bar: 10)")


def alone(name: str, tasks: int) -> None:
    """Measure a case in a process of its own: this one has memory to spare from the cases before."""
    subprocess.run([sys.executable, __file__, "--only", name, "--tasks", str(tasks)], check=True)


def resident() -> int:
    """Bytes of memory this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def slot_delay(rounds: int) -> None:
    """From the end of an execution to the start of the one queued behind it."""
    delays = []
    with tempfile.TemporaryDirectory() as home, Engine(home) as engine:
        engine.deploy(QUEUED)
        first = engine.run("benchmarks", "paused")
        engine.wait(first.id, "PAUSED")
        for _ in range(rounds):
            second = engine.run("benchmarks", "paused")
            engine.wait(second.id, "QUEUED")
            engine.resume(first.id)
            engine.wait(first.id)
            engine.wait(second.id, "PAUSED")
            ended = engine.execution(first.id).record.history.moves[-1][1]
            begun = next(at for state, at in engine.execution(second.id).record.history.moves if state == "RUNNING")
            delays.append((begun - ended).total_seconds())
            first = second
        engine.kill(first.id)
        engine.wait(first.id)
    print(f"{'a slot that comes free is taken':34} {statistics.median(delays) * 1000:7.1f} ms after   (bar: 20)")


OWNER = """
import sys, time
from nbflow.engine import Engine
engine = Engine(sys.argv[1])
engine.deploy(sys.argv[2])
ids = [engine.run("benchmarks", "paused").id for _ in range(int(sys.argv[3]))]
for each in ids:
    engine.wait(each, "PAUSED")
print("ready", flush=True)
time.sleep(600)
"""


def takeover(executions: int) -> None:
    """Executions under way in a process that is killed: how long until another one goes on with all of them."""
    with tempfile.TemporaryDirectory() as home:
        owner = subprocess.Popen(
            [sys.executable, "-c", OWNER, home, PAUSED, str(executions)], stdout=subprocess.PIPE, text=True
        )
        assert owner.stdout is not None
        owner.stdout.readline()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        with Engine(home) as engine:
            began = time.perf_counter()
            ids = [each.id for each in engine.executions(state="PAUSED", limit=executions)]
            engine.resume(ids[0])
            eventually(lambda: all(engine.runs(each) or each == ids[0] for each in ids), within=60)
            took = time.perf_counter() - began
            engine.bulk("kill", ids[1:])
            for each in ids:
                engine.wait(each)
    print(f"{f'{executions} taken over after kill -9':34} {took:7.2f} s until all go on   (bar: 5)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    tasks, rounds = options.tasks, options.rounds
    cases: dict[str, Callable[[], None]] = {
        "chain": lambda: show_a_task(
            "chain of Return tasks", tasks, rounds, lambda: seconds_of(chain(tasks), "chain"), "0.5 over the floor"
        ),
        "parallel": lambda: show_a_task(
            "Parallel of Return tasks", tasks, rounds, lambda: seconds_of(fan_out(tasks), "fan"), "0.4"
        ),
        "foreach": lambda: show_a_task(
            "ForEach, all at once", tasks, rounds, lambda: seconds_of(loop(tasks), "loop"), "0.4"
        ),
        "foreach10": lambda: show_a_task(
            "ForEach of ten times as many", tasks * 10, 1, lambda: seconds_of(loop(tasks * 10), "loop"), "0.4"
        ),
        "throughput": lambda: throughput(100),
        "memory": lambda: memory(tasks * 2) if options.only else alone("memory", tasks),
        "slot": lambda: slot_delay(20),
        "takeover": lambda: takeover(1000),
        "peers": lambda: peers.show(tasks),
    }
    for name, show in cases.items():
        if options.only in ("", name):
            show()


if __name__ == "__main__":
    main()

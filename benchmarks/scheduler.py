"""How late schedules fire, how long loading them takes, and what backfills of many dates cost.

python benchmarks/scheduler.py [--rounds 5] [--only NAME]
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbflow.engine import Engine, Execution
from nbflow.settings import Settings
from nbflow.testing import eventually

SCHEDULE = "io.kestra.plugin.core.trigger.Schedule"


def flow(flow_id: str, cron: str, more: str = "") -> str:
    """A flow of one task with a schedule."""
    return f"""id: {flow_id}
namespace: benchmarks
tasks:
  - {{id: say, type: io.kestra.plugin.core.debug.Return, format: "{{{{ trigger.date }}}}"}}
triggers:
  - {{id: s, type: {SCHEDULE}, cron: "{cron}", {more}}}
"""


def fill(home: Path, schedules: int) -> float:
    """Deploy flows whose schedules do not fire now; the seconds it took."""
    hour = (datetime.now(UTC).hour + 12) % 24
    settings = dataclasses.replace(Settings.load(home), durability="normal")
    with Engine(settings=settings) as engine:
        began = time.perf_counter()
        for number in range(schedules):
            engine.deploy(flow(f"f{number}", f"{number % 60} {hour} * * *"))
        return time.perf_counter() - began


def lateness(engine: Engine, rounds: int) -> list[float]:
    """Milliseconds from the dates of a schedule to the start of its executions."""
    engine.deploy(flow("now", "*/2 * * * * *", "withSeconds: true, allowConcurrent: true"))
    eventually(lambda: len(engine.executions("benchmarks", "now")) >= rounds, within=rounds * 2 + 30)
    engine.set_trigger("benchmarks", "now", "s", disabled=True)
    return [lateness_of(engine.wait(one.id, timeout=30)) for one in engine.executions("benchmarks", "now")[:rounds]]


def lateness_of(execution: Execution) -> float:
    """Milliseconds from the date of an execution to its start."""
    date = execution.record.schedule_date
    assert date is not None
    running = next(since for state, since in execution.record.history.moves if state == "RUNNING")
    return (running - date).total_seconds() * 1000


def load_and_fire(schedules: int, rounds: int) -> None:
    """Begin with a home of many schedules, and fire one of them again and again."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        took = fill(home, schedules)
        print(f"{f'deploying {schedules} flows':34} {took / schedules * 1000:7.2f} ms a flow")
        began = time.perf_counter()
        with Engine(home, scheduler=True) as engine:
            loaded = time.perf_counter() - began
            assert engine.scheduler_status().triggers == schedules
            late = lateness(engine, rounds)
        bar = "3 s for 10,000"
        print(f"{f'loading {schedules} schedules':34} {loaded:7.2f} s   (bar: {bar})")
        bar = "100 ms" if schedules <= 1000 else "250 ms"
        most, middle = max(late), statistics.median(late)
        print(f"{f'firing with {schedules} loaded':34} {most:7.1f} ms late at most, median {middle:.1f}   (bar: {bar})")


def crowd(schedules: int) -> None:
    """Let many schedules fall due at the same second."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        due = datetime.now(UTC) + timedelta(seconds=schedules / 100 + 20)
        cron = f"{due.second} {due.minute} {due.hour} * * *"
        with Engine(home, scheduler=True) as engine:
            for number in range(schedules):
                engine.deploy(flow(f"f{number}", cron, "withSeconds: true"))
            assert datetime.now(UTC) < due, "deploying took too long: give it more time"
            time.sleep((due - datetime.now(UTC)).total_seconds() + schedules / 100)  # who looks on takes time from it
            eventually(lambda: len(engine.executions("benchmarks", limit=schedules)) == schedules, within=120)
            late = [lateness_of(engine.wait(one.id, timeout=60)) for one in engine.executions(limit=schedules)]
        most, middle = max(late), statistics.median(late)
        print(f"{f'{schedules} due at one second':34} {most:7.1f} ms late at most, median {middle:.1f}")


def backfill(executions: int, dates: int) -> None:
    """Begin a backfill of many dates, and run some of them."""
    with tempfile.TemporaryDirectory() as home, Engine(home, scheduler=True) as engine:
        engine.deploy(flow("past", "* * * * *"))
        end = datetime.now(UTC)
        began = time.perf_counter()
        created = engine.create_backfill("benchmarks", "past", "s", end - timedelta(minutes=dates), end, parallelism=10)
        took = time.perf_counter() - began
        print(f"{f'beginning a backfill of {created.total}':34} {took * 1000:7.1f} ms")
        began = time.perf_counter()
        eventually(lambda: engine.get_backfill(created.id).succeeded >= executions, within=300)
        took = time.perf_counter() - began
        engine.cancel_backfill(created.id)
        print(f"{'executions of a backfill, 10 at once':34} {executions / took:7.1f} a second")


def simulating(days: int) -> None:
    """A simulation of a schedule that fires each minute, with a condition."""
    condition = "{type: io.kestra.plugin.core.condition.DayWeek, dayOfWeek: MONDAY}"
    with tempfile.TemporaryDirectory() as home, Engine(home) as engine:
        text = flow("mondays", "* * * * *", f"conditions: [{condition}]")
        began = time.perf_counter()
        simulation = engine.simulate_flow(text, days=days)
        took = time.perf_counter() - began
    print(f"{f'simulating {len(simulation.dates)} dates':34} {took:7.2f} s")


def takeover() -> None:
    """Kill the process of the scheduler, and wait for the one that stands by."""
    code = (
        "import sys, time; from nbflow.engine import Engine; engine = Engine(sys.argv[1], scheduler=True); "
        "print('leads', flush=True); time.sleep(600)"
    )
    with tempfile.TemporaryDirectory() as home:
        first = subprocess.Popen([sys.executable, "-c", code, home], stdout=subprocess.PIPE, text=True)
        assert first.stdout is not None
        first.stdout.readline()
        with Engine(home, scheduler=True) as engine:
            assert not engine.scheduler_status().is_here
            first.kill()
            first.wait()
            began = time.perf_counter()
            eventually(lambda: engine.scheduler_status().is_here, within=30)
            took = time.perf_counter() - began
        first.stdout.close()
    print(f"{'takeover from a killed scheduler':34} {took:7.2f} s   (bar: 10)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["1000", "10000", "crowd", "backfill", "simulate", "takeover"])
    options = parser.parse_args()
    cases = {
        "1000": lambda: load_and_fire(1000, options.rounds),
        "10000": lambda: load_and_fire(10_000, options.rounds),
        "crowd": lambda: crowd(500),
        "backfill": lambda: backfill(200, 10_000),
        "simulate": lambda: simulating(30),
        "takeover": takeover,
    }
    for name, measure in cases.items():
        if options.only in (None, name):
            measure()


if __name__ == "__main__":
    main()

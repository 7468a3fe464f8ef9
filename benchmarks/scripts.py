"""What a script task costs over its script: its start, and a million lines of output, beside the bare ones of this run.

python benchmarks/scripts.py [--rounds 30] [--lines 1000000] [--only NAME]
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

from nbflow.engine import Engine

LOOP = 'i=0; while [ $i -lt {lines} ]; do echo "row $i of a table"; i=$((i+1)); done'
SEQ = "seq -f 'row %.0f of a table' {lines}"


def bare(command: Sequence[str]) -> float:
    """Wall seconds of a command whose output is read and thrown away."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while process.stdout.read(64 * 1024):
            pass
    return time.perf_counter() - began


def start(name: str, task: str, command: Sequence[str], rounds: int) -> None:
    """A task that does nothing beside its bare interpreter, taken in turns."""
    pairs = []
    with tempfile.TemporaryDirectory() as home, Engine(home) as engine:
        engine.deploy(f"id: one\nnamespace: benchmarks\ntasks:\n  - {{id: s, {task}}}\n")
        engine.run("benchmarks", "one", wait=True)
        for _ in range(rounds):
            floor = bare(command)
            execution = engine.run("benchmarks", "one", wait=True)
            attempt = execution.task_runs["s"].attempts[0]
            assert execution.state == "SUCCESS", execution.logs()
            assert attempt.end is not None
            pairs.append(((attempt.end - attempt.start).total_seconds(), floor))
    ours, floor = (statistics.median(each) * 1000 for each in zip(*pairs, strict=True))
    more = statistics.median(our - floor for our, floor in pairs) * 1000
    print(f"{name:34} {ours:7.1f} ms   bare {floor:6.1f} ms, {more:+.1f} over it   (bar: 15)")


def many_lines(name: str, script: str, lines: int) -> None:
    """A Shell task that prints many lines, and how much memory this process needs more for it."""
    command = script.format(lines=lines)
    floor = min(bare(["/bin/sh", "-c", command]) for _ in range(3))
    with tempfile.TemporaryDirectory() as home, Engine(home) as engine:
        text = command.replace("'", "''")
        engine.deploy(f"id: m\nnamespace: benchmarks\ntasks:\n  - {{id: s, type: shell, commands: ['{text}']}}\n")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        execution = engine.run("benchmarks", "m", wait=True)
        took = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert execution.state == "SUCCESS", execution.state
        [run] = execution.task_runs
        assert run.outputs["stdOutLineCount"] == lines
        uri = run.attempts[-1].log_file
        kept = engine.read_file(uri).count(b"\n") if uri else 0
        in_history = len(execution.logs())
    grown = (peak - before) / (1024 if sys.platform != "darwin" else 1024 * 1024)
    print(f"{name:34} {took:7.2f} s    bare {floor:6.2f} s, {took - floor:+.2f} over it   (bar: 3)")
    print(f"{'':34} {grown:7.1f} MB more memory at its peak   {in_history} lines in the history, {kept} in the file")


def alone(name: str, lines: int) -> None:
    """Measure a case in a process of its own: a peak of memory is that of the whole life of a process."""
    subprocess.run([sys.executable, __file__, "--only", name, "--lines", str(lines)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    rounds, lines = options.rounds, options.lines

    def printing(name: str, title: str, script: str) -> Callable[[], None]:
        return lambda: many_lines(title, script, lines) if options.only else alone(name, lines)

    node = shutil.which("node")
    cases: dict[str, Callable[[], None]] = {
        "python": lambda: start(
            "start of a Python script", "type: python, script: pass", [sys.executable, "-c", "pass"], rounds
        ),
        "shell": lambda: start(
            "start of shell commands", 'type: shell, commands: ["true"]', ["/bin/sh", "-c", "true"], rounds
        ),
        "seq": printing("seq", f"{lines} lines, as fast as can be", SEQ),
        "loop": printing("loop", f"{lines} lines of a shell loop", LOOP),
    }
    if node:
        cases["node"] = lambda: start("start of a Node script", 'type: node, script: ""', [node, "-e", ""], rounds)
    for name, show in cases.items():
        if options.only in ("", name):
            show()


if __name__ == "__main__":
    main()

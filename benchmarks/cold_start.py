"""What starting costs: `nbflow` commands as whole processes, beside a bare interpreter and papermill.

python benchmarks/cold_start.py [--rounds 7] [--flow benchmarks/flows/hello.yaml]

Bytecode is compiled by a first round that is not counted, as an installation does. History is written to disk.
`ratio` is the best round over the best of a bare interpreter: it hardly changes with the machine and its load.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

RUN_SECONDS, RUN_MEGABYTES = 0.5, 80.0
HELP_SECONDS, IMPORT_SECONDS = 0.15, 0.12


def measure(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall time in seconds and peak memory in megabytes of a process. Raises: CalledProcessError."""
    begin = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command), stderr=errors)
    scale = 1e6 if sys.platform == "darwin" else 1e3  # macOS counts bytes, Linux kilobytes
    return wall, usage.ru_maxrss / scale


def notebook(folder: Path) -> str:
    """A notebook with one cell, for papermill."""
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "a",
        "metadata": {},
        "outputs": [],
        "source": "print(1)",
    }
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    path = folder / "hello.ipynb"
    path.write_text(json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    return str(path)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--flow", default=str(Path(__file__).parent / "flows" / "hello.yaml"))
    chosen = options.parse_args()
    nbflow = [sys.executable, "-m", "nbflow.cli.main"]
    with tempfile.TemporaryDirectory(prefix="nbflow-bench-") as name:
        folder = Path(name)
        environment = {
            **os.environ,
            "NBFLOW_HOME": str(folder / "home"),
            "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        rows: list[tuple[str, list[str], float, float]] = [
            ("python -c pass", [sys.executable, "-c", "pass"], 0, 0),
            ("import nbflow", [sys.executable, "-c", "import nbflow"], IMPORT_SECONDS, 0),
            ("import typer", [sys.executable, "-c", "import typer"], 0, 0),  # what any such command line costs
            ("nbflow --help", [*nbflow, "--help"], HELP_SECONDS, 0),
            ("nbflow flows -h", [*nbflow, "flows", "--help"], 0, 0),
            ("nbflow flows list", [*nbflow, "flows", "list"], 0, 0),
            ("nbflow run", [*nbflow, "run", chosen.flow], RUN_SECONDS, RUN_MEGABYTES),
        ]
        if importlib.util.find_spec("papermill"):
            code = "import papermill, sys; papermill.execute_notebook(*sys.argv[1:], progress_bar=False)"
            rows.append(("papermill", [sys.executable, "-c", code, notebook(folder), str(folder / "out.ipynb")], 0, 0))
        is_within = True
        floor = 0.0
        print(f"{'':17} {'wall':>9} {'best':>9} {'ratio':>6} {'peak':>9}")
        for label, command, seconds, megabytes in rows:
            measure(command, environment)
            found = [measure(command, environment) for _ in range(chosen.rounds)]
            wall, best = statistics.median(wall for wall, _ in found), min(wall for wall, _ in found)
            peak = max(peak for _, peak in found)
            floor = floor or best  # the first row is the bare interpreter
            verdict = ""
            if seconds:
                fits = wall <= seconds and (not megabytes or peak <= megabytes)
                is_within = is_within and fits
                limit = f"{seconds * 1000:.0f} ms" + (f", {megabytes:.0f} MB" if megabytes else "")
                verdict = f"  {'within' if fits else 'OVER'} {limit}"
            print(f"{label:17} {wall * 1000:6.0f} ms {best * 1000:6.0f} ms {best / floor:6.1f} {peak:6.1f} MB{verdict}")
    return 0 if is_within else 1


if __name__ == "__main__":
    sys.exit(main())

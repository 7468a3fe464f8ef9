"""What running a notebook costs: warm, fresh, sustained, and what is left behind; papermill and nbclient beside it.

python benchmarks/notebooks.py [--rounds 10] [--many 200] [--only warm|fresh|sustained|leftovers]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import io
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nbflow.engine import Engine
from nbflow.plugins.kernels import KernelKey, kernels
from nbflow.tasks.scripts.languages import base_environment, has_kestra

WARM_BAR, FRESH_BAR, SUSTAINED_BAR = 60, 300, 250
FLOW = """
id: one
namespace: benchmarks
inputs:
  - {id: n, type: INT}
tasks:
  - id: report
    type: notebook
    path: "{{ vars.path }}"
    parameters: {n: "{{ inputs.n }}"}
variables:
  path: small.ipynb
"""
CELLS = ("n = 1", "rows = [number * n for number in range(100)]", "print(sum(rows))")


def small_notebook() -> str:
    """A notebook with a parameter, a computation, and a line of output."""
    cells = [
        {
            "id": f"c{number}",
            "cell_type": "code",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(CELLS)
    ]
    cells[0]["metadata"] = {"tags": ["parameters"]}
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return json.dumps({"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5})


@contextlib.contextmanager
def opened() -> Iterator[Engine]:
    """An engine whose namespace has the notebook."""
    with tempfile.TemporaryDirectory() as home, Engine(home) as engine:
        engine.store.namespace_files.put("benchmarks", "small.ipynb", small_notebook().encode())
        engine.deploy(FLOW)
        yield engine


def run_one(engine: Engine, number: int) -> float:
    """Run the flow with its one notebook; its wall milliseconds, from the call to the end of the execution."""
    began = time.perf_counter()
    execution = engine.run("benchmarks", "one", {"n": number}, wait=True)
    took = (time.perf_counter() - began) * 1000
    assert execution.state == "SUCCESS", [entry.message for entry in execution.logs()]
    return took


def on_loop(engine: Engine, work: Callable[[], Any]) -> Any:
    """Await what `work` makes, on the loop of the engine."""
    return engine.loop.submit(work()).result(60)


def warm_key() -> KernelKey:
    """The key of the kernels that the notebook is run in."""
    env = base_environment({}, sys.executable, stand_in=not has_kestra())
    return KernelKey("python3", "", tuple(sorted(env.items())))


def warm(rounds: int) -> None:
    """One notebook after another, each time with a kernel that is ready; beside a papermill run of the same."""
    ours, theirs, bare = [], [], []
    with opened() as engine:
        run_one(engine, 0)
        for number in range(rounds):
            theirs.append(papermill())
            bare.append(nbclient())
            on_loop(engine, one_ready)
            settle()
            ours.append(run_one(engine, number))
    show("warm kernel, each notebook", ours, WARM_BAR)
    show("  papermill", theirs)
    show("  nbclient", bare)


def fresh(rounds: int) -> None:
    """A notebook whose kernel has still to be started."""
    ours, theirs = [], []
    with opened() as engine:
        on_loop(engine, empty_pool)  # and none is started in advance from here on
        run_one(engine, 0)
        for number in range(rounds):
            theirs.append(papermill())
            on_loop(engine, empty_pool)
            settle()
            ours.append(run_one(engine, number))
    show("fresh kernel, each notebook", ours, FRESH_BAR)
    show("  papermill", theirs)


async def one_ready() -> None:
    """Return once a kernel is ready."""
    await kernels().warm_up(warm_key(), 1)


async def empty_pool() -> None:
    """End every kernel that is ready."""
    pool: Any = kernels()
    pool._is_eager = False
    while True:
        await asyncio.sleep(0.05)
        ready = [kernel for shelf in pool._shelves.values() for kernel in shelf.ready]
        starting = sum(shelf.starting for shelf in pool._shelves.values())
        for shelf in pool._shelves.values():
            shelf.ready.clear()
        for kernel in ready:
            pool._end(kernel)
        if not ready and not starting and not pool.count:
            return


def sustained(count: int) -> None:
    """As many notebooks as there are cores at once, all the time."""
    with opened() as engine:
        run_one(engine, 0)
        began = time.perf_counter()
        at_once = os.cpu_count() or 1
        under_way: list[Any] = []
        for number in range(count):
            under_way.append(engine.run("benchmarks", "one", {"n": number}))
            if len(under_way) > at_once:
                assert under_way.pop(0).wait(60).state == "SUCCESS"
        for execution in under_way:
            assert execution.wait(60).state == "SUCCESS"
        took = (time.perf_counter() - began) * 1000 / count
    print(f"{f'sustained on {at_once} cores, a notebook':34} {took:7.1f} ms   of {count}   (bar: {SUSTAINED_BAR})")


def leftovers(count: int) -> None:
    """What many notebooks in a row leave: kernels, descriptors, temporary files."""
    folder = Path(tempfile.gettempdir())
    with opened() as engine:
        run_one(engine, 0)
        on_loop(engine, empty_pool)
        before = traces(folder)
        on_loop(engine, refill)
        for number in range(count):
            run_one(engine, number)
        on_loop(engine, empty_pool)
        gc.collect()
        after = traces(folder)
    print(
        f"{f'after {count} in a row':34} kernels {after[0]}, "
        f"descriptors {after[1] - before[1]:+d}, files {after[2] - before[2]:+d}"
    )


async def refill() -> None:
    """Let the pool start kernels in advance again."""
    pool: Any = kernels()
    pool._is_eager = True


def traces(folder: Path) -> tuple[int, int, int]:
    """Kernels that are children of this process, open descriptors, kernel folders among the temporary files."""
    children = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True, text=True).stdout
    running = sum("ipykernel" in line for line in children.splitlines())
    return running, len(list(Path("/proc/self/fd").iterdir())), len(list(folder.glob("nbflow-k-*")))


def papermill() -> float:
    """Milliseconds of papermill for the same notebook."""
    import papermill as library

    logging.getLogger("papermill").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, quiet():
        source, target = Path(folder, "in.ipynb"), Path(folder, "out.ipynb")
        source.write_text(small_notebook())
        began = time.perf_counter()
        library.execute_notebook(str(source), str(target), parameters={"n": 2}, progress_bar=False)
        return (time.perf_counter() - began) * 1000


def nbclient() -> float:
    """Milliseconds of nbclient for the same notebook."""
    import nbformat
    from nbclient import NotebookClient

    with quiet():
        notebook = nbformat.reads(small_notebook(), as_version=4)
        began = time.perf_counter()
        NotebookClient(notebook).execute()
        return (time.perf_counter() - began) * 1000


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of libraries."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def settle() -> None:
    """Wait until the machine has nothing left to do of the round before."""
    time.sleep(0.3)


def show(name: str, times: list[float], bar: int | None = None) -> None:
    told = f"   (bar: {bar})" if bar else ""
    print(f"{name:34} {statistics.median(times):7.1f} ms   from {min(times):.1f} to {max(times):.1f}{told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--many", type=int, default=200)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    cases: dict[str, Callable[[], None]] = {
        "warm": lambda: warm(options.rounds),
        "fresh": lambda: fresh(options.rounds),
        "sustained": lambda: sustained(max(options.many // 5, 10)),
        "leftovers": lambda: leftovers(options.many),
    }
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name, measure in cases.items():
        if options.only in ("", name):
            measure()


if __name__ == "__main__":
    main()

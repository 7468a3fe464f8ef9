"""What SQL tasks cost over bare tools, on a CSV: CopyIn beside `psql \\copy`, DuckDB over Parquet beside bare DuckDB.

python benchmarks/sql.py [--megabytes 100] [--rounds 5] [--only NAME]

Needs PostgreSQL's programs on the PATH. Each side runs in processes of its own, in turns. What is counted is the
work, and of nbflow all from the start of the task to its committed end. Queries are run twice and the second counts:
the first imports DuckDB, on both sides.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.postgres import INSTALLED, USER, running_postgres  # after the path

COLUMNS = (
    "id bigint, vendor text, picked_up timestamp, passengers int, distance double precision, fare double precision"
)
QUERY = (
    "SELECT vendor, count(*) AS n, avg(fare) AS fare, max(picked_up) AS last FROM '{}' GROUP BY vendor ORDER BY vendor"
)
COPY = """id: copy
namespace: benchmarks
tasks:
  - {{id: truncate, type: postgres, url: "{url}", username: {user}, sql: TRUNCATE rides, fetchType: NONE}}
  - id: work
    type: io.kestra.plugin.jdbc.postgresql.CopyIn
    url: "{url}"
    username: {user}
    from: "{uri}"
    table: rides
    format: CSV
    header: true
"""
PARQUET = """id: parquet
namespace: benchmarks
tasks:
  - id: work
    type: io.kestra.plugin.jdbc.duckdb.Query
    sql: "{sql}"
    fetchType: FETCH
"""
BARE = """
import sys, time
import duckdb
for _ in range(2):
    began = time.perf_counter()
    duckdb.connect().execute(sys.argv[1]).fetchall()
print(time.perf_counter() - began)
"""


def write_csv(file: Path, megabytes: int) -> None:
    """Write rides of that many megabytes."""
    size = megabytes * 1_000_000
    with file.open("w", encoding="utf-8") as lines:
        written = lines.write("id,vendor,picked_up,passengers,distance,fare\n")
        number = 0
        while written < size:
            number += 1
            moment = (
                f"2024-{number % 12 + 1:02}-{number % 28 + 1:02} {number % 24:02}:{number % 60:02}:{number % 59:02}"
            )
            fare = f"{number % 977 / 10:.2f}"
            written += lines.write(
                f"{number},vendor-{number % 97},{moment},{number % 6},{number % 313 / 7:.4f},{fare}\n"
            )


def run_flow(home: str, text: str, times: int = 1) -> tuple[float, float]:
    """Run a flow in a process of its own: seconds of its task `work`, the last time, and its peak of megabytes."""
    command = [sys.executable, __file__, "--child", home, "--times", str(times)]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds, peak = json.loads(done.stdout)
    return seconds, peak


def child(home: str, times: int) -> None:
    """Run the flow on standard input, and print what `run_flow` wants to know."""
    from nbflow.engine import Engine

    with Engine(home) as engine:
        flow = engine.deploy(sys.stdin.read())
        for _ in range(times):
            execution = engine.run(flow.namespace, flow.id, wait=True)
        if execution.state != "SUCCESS":
            raise SystemExit("\n".join(entry.message for entry in execution.logs()))
        run = execution.task_runs["work"]
        assert run.start is not None
        assert run.end is not None
        seconds = (run.end - run.start).total_seconds()
    status = Path("/proc/self/status").read_text(encoding="ascii")  # `getrusage` counts the process before `exec` too
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]
    print(json.dumps([seconds, int(peak) * 1.024 / 1000]))


def show(name: str, ours: Callable[[], tuple[float, float]], floor: Callable[[], float], rounds: int) -> None:
    """The medians of both sides, run in turns, and the peak of memory."""
    floor()  # both find a warm cache of files
    pairs = [(ours(), floor()) for _ in range(rounds)]
    task = statistics.median(pair[0][0] for pair in pairs)
    bare = statistics.median(pair[1] for pair in pairs)
    peak = max(pair[0][1] for pair in pairs)
    ratio = statistics.median(pair[0][0] / pair[1] for pair in pairs)
    print(
        f"{name:34} {task:7.3f} s   floor {bare:7.3f} s, {ratio:.2f} times it   (bar: 1.2)"
        f"   peak {peak:4.0f} MB   (bar: 150)"
    )


def copy_in(home: str, uri: str, file: Path, rounds: int) -> None:
    """CopyIn beside `psql \\copy`."""
    with running_postgres(listens=True) as (_, port):
        place = f"postgresql://{USER}@127.0.0.1:{port}/postgres"
        psql = ["psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", place, "--command"]
        subprocess.run([*psql, f"CREATE UNLOGGED TABLE rides ({COLUMNS})"], check=True)
        text = COPY.format(url=f"jdbc:postgresql://127.0.0.1:{port}/postgres", user=USER, uri=uri)

        def bare() -> float:
            subprocess.run([*psql, "TRUNCATE rides"], check=True)
            began = time.perf_counter()
            subprocess.run([*psql, f"\\copy rides FROM '{file}' WITH (FORMAT csv, HEADER true)"], check=True)
            return time.perf_counter() - began

        show("CopyIn of a CSV", lambda: run_flow(home, text), bare, rounds)


def query_parquet(home: str, uri: str, file: Path, rounds: int) -> None:
    """A query over Parquet beside bare DuckDB."""
    text = PARQUET.format(sql=QUERY.format(uri))

    def bare() -> float:
        command = [sys.executable, "-c", BARE, QUERY.format(file)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    show("DuckDB over the same as Parquet", lambda: run_flow(home, text, times=2), bare, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    parser.add_argument("--times", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.times)
        return
    import duckdb

    from nbflow.engine import Engine

    with tempfile.TemporaryDirectory(prefix="nbflow-sql-") as folder:
        os.chmod(folder, 0o755)
        csv, parquet, home = Path(folder, "rides.csv"), Path(folder, "rides.parquet"), str(Path(folder, "home"))
        write_csv(csv, options.megabytes)
        duckdb.sql(f"COPY (FROM read_csv('{csv}')) TO '{parquet}' (FORMAT parquet)")
        with Engine(home) as engine:
            csv_uri = engine.store.files.put_file("benchmarks/rides.csv", csv)
            parquet_uri = engine.store.files.put_file("benchmarks/rides.parquet", parquet)
        if options.only in ("", "copy"):
            if INSTALLED:
                copy_in(home, csv_uri, csv, options.rounds)
            else:
                print("PostgreSQL is not installed here")
        if options.only in ("", "parquet"):
            query_parquet(home, parquet_uri, parquet, options.rounds)


if __name__ == "__main__":
    main()

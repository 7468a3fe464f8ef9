"""What the REST API costs: lists over a long history with many clients, executions started a second, followers by SSE.

    python benchmarks/rest.py [executions in the history] [clients]

The server is `nbflow server`, a process of its own; the clients share this machine with it. A floor is measured in the
same run: the same number of clients asking for `/api/health`, which does nothing.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from nbflow.settings import Settings
from nbflow.store import Store

SECONDS = 8.0
FOLLOWERS = 100
HEADERS = {"Authorization": "Bearer t"}
FLOWS = {
    "quick": "id: quick\nnamespace: bench\ntasks:\n  - {id: t, type: io.kestra.plugin.core.debug.Return, format: x}\n",
    "slow": "id: slow\nnamespace: bench\ntasks:\n  - {id: t, type: io.kestra.plugin.core.flow.Pause}\n"
    "  - {id: u, type: io.kestra.plugin.core.flow.Pause}\n",
}
LISTS = {
    "the newest": "/api/v1/main/executions/search?size=25",
    "one namespace": "/api/v1/main/executions/search?size=25&filters[namespace][PREFIX]=company.team3",
    "one flow, failed": "/api/v1/main/executions/search?size=25&filters[namespace][EQUALS]=company.team2"
    "&filters[flowId][EQUALS]=flow7&filters[state][IN]=FAILED",
    "one label": "/api/v1/main/executions/search?size=25&filters[labels][EQUALS][team]=t3",
}

Ask = Callable[[http.client.HTTPConnection], None]


def fill(home: Path, count: int) -> None:
    """A history of so many executions, written as rows: through the engine it would take hours."""
    Store(Settings(home)).close()
    history = "'[[\"CREATED\",'||(1700000000000000+i*1000000)||'],[\"'||s||'\",'||(1700000009000000+i*1000000)||']]'"
    with closing(sqlite3.connect(home / "nbflow.db")) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.execute(
            f"""
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}),
              rows AS (SELECT i, CASE WHEN (i / 50) % 20 = 0 THEN 'FAILED' ELSE 'SUCCESS' END AS s FROM n)
            INSERT INTO executions (id, namespace, flow_id, flow_revision, state, started, ended, seq, history, labels,
                                    attempt_number)
            SELECT printf('0%021d', i), 'company.team' || (i % 5), 'flow' || (i % 50), 1, s,
                   1700000000000000 + i * 1000000, 1700000009000000 + i * 1000000, 1, {history},
                   '[["team","t' || (i % 7) || '"]]', 1 FROM rows
            """
        )
        database.execute(
            """
            INSERT INTO execution_labels (execution_id, key, value, started)
            SELECT id, 'team', 't' || (CAST(substr(id, 2) AS INTEGER) % 7), started FROM executions
            """
        )
        database.execute("ANALYZE")
        database.commit()


@contextmanager
def serving(home: Path) -> Iterator[tuple[str, int]]:
    """A server over a home: its host and port."""
    command = [sys.executable, "-m", "nbflow.cli.main", "server", "--home", str(home), "--port", "0", "--token", "t"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
    try:
        assert process.stdout is not None
        found = re.search(r"http://([\d.]+):(\d+)/", process.stdout.readline())
        assert found is not None
        yield found[1], int(found[2])
    finally:
        process.terminate()
        process.wait(60)


def asking(host: str, port: int, clients: int, ask: Ask) -> tuple[float, float, float]:
    """Many clients that ask one time after another: requests a second, and milliseconds at the median and p95."""
    took: list[float] = []
    until = time.perf_counter() + SECONDS

    def client(_: int) -> None:
        with closing(http.client.HTTPConnection(host, port, timeout=60)) as connection:
            ask(connection)
            while time.perf_counter() < until:
                begin = time.perf_counter()
                ask(connection)
                took.append(time.perf_counter() - begin)

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    took.sort()
    return len(took) / SECONDS, took[len(took) // 2] * 1000, took[int(len(took) * 0.95)] * 1000


def request(method: str, path: str, body: str | None = None) -> Ask:
    def ask(connection: http.client.HTTPConnection) -> None:
        connection.request(method, path, body, HEADERS)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200, (answer.status, content[:300])

    return ask


def send(host: str, port: int, method: str, path: str, body: str | None = None) -> dict[str, object]:
    with closing(http.client.HTTPConnection(host, port, timeout=60)) as connection:
        connection.request(method, path, body, HEADERS)
        found: dict[str, object] = json.loads(connection.getresponse().read() or b"{}")
        return found


def following(host: str, port: int) -> tuple[float, float]:
    """How long until all followers of an execution hear that it goes on: the first and the last, in milliseconds."""
    execution = str(send(host, port, "POST", "/api/v1/main/executions/bench/slow")["id"])
    ready, heard = threading.Barrier(FOLLOWERS + 1), []
    changed: list[float] = []

    def follow() -> None:
        with closing(http.client.HTTPConnection(host, port, timeout=60)) as connection:
            connection.request("GET", f"/api/v1/main/executions/{execution}/follow", headers=HEADERS)
            stream = connection.getresponse()
            is_ready = False
            for line in stream:
                if b"data:" not in line:
                    continue
                states = [run["state"]["current"] for run in json.loads(line[5:]).get("taskRunList", [])]
                if not is_ready and "PAUSED" in states:
                    is_ready = True
                    ready.wait()
                if states[:1] == ["SUCCESS"]:
                    heard.append(time.perf_counter())
                    return

    threads = [threading.Thread(target=follow) for _ in range(FOLLOWERS)]
    for thread in threads:
        thread.start()
    ready.wait()
    time.sleep(0.5)  # let the last follower come back to its stream
    changed.append(time.perf_counter())
    send(host, port, "POST", f"/api/v1/main/executions/{execution}/actions/resume")
    for thread in threads:
        thread.join()
    send(host, port, "DELETE", f"/api/v1/main/executions/{execution}/actions/kill")
    return (min(heard) - changed[0]) * 1000, (max(heard) - changed[0]) * 1000


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        begin = time.perf_counter()
        (home / "nbflow.yaml").write_text("nbflow:\n  server:\n    requestsPerSecond: 1000000\n")
        fill(home, count)
        print(f"{count:,} executions written in {time.perf_counter() - begin:.0f} s")
        with serving(home) as (host, port):
            for text in FLOWS.values():
                send(host, port, "POST", "/api/v1/main/flows", text)
            rate, median, worst = asking(host, port, clients, request("GET", "/api/health"))
            print(f"{'floor: health':24} {rate:7.0f}/s  median {median:6.1f} ms  p95 {worst:6.1f} ms")
            for name, path in LISTS.items():
                rate, median, worst = asking(host, port, clients, request("GET", path))
                print(f"{'list: ' + name:24} {rate:7.0f}/s  median {median:6.1f} ms  p95 {worst:6.1f} ms")
            start = request("POST", "/api/v1/main/executions/bench/quick")
            rate, median, worst = asking(host, port, clients, start)
            print(f"{'start executions':24} {rate:7.0f}/s  median {median:6.1f} ms  p95 {worst:6.1f} ms")
            first, last = following(host, port)
            print(f"{FOLLOWERS} followers hear of a change after {first:.0f} to {last:.0f} ms")


if __name__ == "__main__":
    main()

"""`nbflow sql` and `nbflow executions diff`: what they print, for people and for programs."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.cli.cli_calls import HELLO, Nbflow


def ran(nbflow: Nbflow, tmp_path: Path, *names: str) -> None:
    file = tmp_path / "hello.yaml"
    file.write_text(HELLO)
    for name in names:
        assert nbflow("run", str(file), f"name={name}").status == 0


def test_sql_prints_a_table_json_or_csv(nbflow: Nbflow, tmp_path: Path) -> None:
    ran(nbflow, tmp_path, "Ada", "Bob,\n")
    query = "SELECT inputs->>'name' AS name, state FROM executions WHERE flow_id = 'hello' ORDER BY 1"
    assert nbflow("sql", query).out.splitlines() == ["name   state", "Ada    SUCCESS", "Bob,⏎  SUCCESS"]
    assert nbflow("sql", query, "--output", "json").json == [
        {"name": "Ada", "state": "SUCCESS"},
        {"name": "Bob,\n", "state": "SUCCESS"},
    ]
    written = nbflow("sql", query, "-o", "csv").out
    assert list(csv.reader(written.splitlines(keepends=True))) == [
        ["name", "state"],
        ["Ada", "SUCCESS"],
        ["Bob,\n", "SUCCESS"],
    ]


def test_sql_alone_tells_the_tables(nbflow: Nbflow) -> None:
    done = nbflow("sql")
    assert done.status == 0
    assert "executions  started" in done.out


def test_a_wrong_query_is_to_be_mended_by_the_caller(nbflow: Nbflow) -> None:
    done = nbflow("sql", "SELECT * FROM log")
    assert done.status == 2
    assert "there is no table `log`" in done.err
    assert "mend: did you mean `logs`?" in done.err
    assert nbflow("sql", "DROP TABLE logs").status == 2


def test_diff_tells_what_differs(nbflow: Nbflow, tmp_path: Path) -> None:
    ran(nbflow, tmp_path, "Ada", "Bob")
    done = nbflow("executions", "diff")
    assert done.status == 0
    assert "  ~ name: Ada → Bob" in done.out
    assert "  ~ greeted: Ada → Bob" in done.out
    found = nbflow("executions", "diff", "last", "previous", "--output", "json").json
    assert found["isSame"] is False
    assert found["inputs"][0]["before"] == "Bob"
    assert nbflow("executions", "diff", "nope", "last").status == 2

"""Files into PostgreSQL and out of it: CopyIn, CopyOut, Load and Batch."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import duckdb
import pytest

from tests.tasks.conftest import RunTasks, messages
from tests.tasks.sql.conftest import Ask, RunOne

CSV = b'id,name,born\n1,"Ada, Countess",1815-12-10\n2,Grace,\n'
PEOPLE = [(1, "Ada, Countess", "1815-12-10"), (2, "Grace", None)]


@pytest.fixture
def people(ask: Ask) -> None:
    ask("CREATE TABLE people (id int, name text, born date)")


def rows_of(ask: Ask) -> list[tuple[object, ...]]:
    return ask("SELECT id, name, born::text FROM people ORDER BY id")


@pytest.mark.usefixtures("people")
def test_a_csv_is_copied_in(run_one: RunOne, ask: Ask) -> None:
    source = {"from": "{{ vars.files['p.csv'] }}"}
    result = run_one("CopyIn", files={"p.csv": CSV}, **source, table="people", format="CSV", header=True)
    assert result.outputs == {"rowCount": 2}, result.messages
    assert rows_of(ask) == PEOPLE


@pytest.mark.usefixtures("people")
def test_every_option_of_copy_is_said(run_one: RunOne, ask: Ask) -> None:
    content = "x;y\n-;'it*'s'\n"
    properties = {"delimiter": ";", "quote": "'", "escape": "*", "nullString": "-", "forceNotNull": ["name"]}
    result = run_one(
        "CopyIn",
        files={"p": content.encode("latin-1")},
        **{"from": "{{ vars.files.p }}"},
        table="public.people",
        columns=["id", "name"],
        format="CSV",
        header=True,
        encoding="LATIN1",
        **properties,
    )
    assert result.outputs == {"rowCount": 1}, result.messages
    assert ask("SELECT id, name, born FROM people") == [(None, "it's", None)]


@pytest.mark.usefixtures("people")
def test_a_file_that_does_not_fit_is_copied_not_at_all(run_one: RunOne, ask: Ask) -> None:
    result = run_one("CopyIn", files={"p": b"1\ta\t\\N\nx\tb\t\\N\n"}, **{"from": "{{ vars.files.p }}"}, table="people")
    assert result.state == "FAILED"
    assert 'invalid input syntax for type integer: "x"' in result.messages[-1]
    assert rows_of(ask) == []


def test_a_query_is_copied_out(run_one: RunOne) -> None:
    result = run_one("CopyOut", sql="SELECT i, 'a,' || i AS t FROM generate_series(1, 2) i;", format="CSV", header=True)
    assert result.outputs["rowCount"] == 2, result.messages
    assert str(result.outputs["uri"]).endswith(".csv")
    assert list(result.files.values()) == [b'i,t\n1,"a,1"\n2,"a,2"\n']


@pytest.mark.parametrize("form", ["TEXT", "CSV", "BINARY"])
def test_what_is_copied_out_can_be_copied_in(run_tasks: RunTasks, postgres_url: str, ask: Ask, form: str) -> None:
    ask("CREATE TABLE a AS SELECT 1 AS n, E'x\\ty\\\\' AS t UNION ALL SELECT 2, NULL; CREATE TABLE b (LIKE a)")
    execution = run_tasks(
        """
        - {id: out, type: postgres_copy_out, table: a, format: "{{ inputs.format }}"}
        - {id: back, type: postgres_copy_in, from: "{{ outputs.out.uri }}", table: b, format: "{{ inputs.format }}"}
        """,
        more=f"""
        inputs:
          - {{id: format, type: STRING}}
        pluginDefaults:
          - type: io.kestra.plugin.jdbc.postgresql
            values: {{url: "{postgres_url}", username: nbflow}}
        """,
        format=form,
    )
    assert execution.state == "SUCCESS", messages(execution)
    assert ask("SELECT * FROM b ORDER BY n") == [(1, "x\ty\\"), (2, None)]


def parquet(folder: Path) -> bytes:
    file = folder / "p.parquet"
    duckdb.sql(
        "SELECT * FROM (VALUES (1, 'Ada, Countess', DATE '1815-12-10'), (2, 'Grace', NULL)) t(id, name, born)"
    ).write_parquet(str(file))
    return file.read_bytes()


LINES = "".join(
    json.dumps(dict(zip(("id", "name", "born"), row, strict=True))) + "\n" for row in PEOPLE
).encode()  # fmt: skip


@pytest.mark.parametrize("name", ["p.csv", "p.jsonl", "p.parquet", "p.json", "p.ion", "p"])
@pytest.mark.parametrize("kind", ["Load", "Batch"])
@pytest.mark.usefixtures("people")
def test_rows_of_any_file_are_loaded_by_name(run_one: RunOne, ask: Ask, tmp_path: Path, name: str, kind: str) -> None:
    ion = b'$ion_1_0 {id: 1, name: "Ada, Countess", born: 1815-12-10} {id: 2, name: "Grace", born: null}'
    contents = {
        "p.ion": ion,
        "p.csv": CSV,
        "p.jsonl": LINES,
        "p": LINES,
        "p.json": b"[" + LINES.strip().replace(b"\n", b",") + b"]",
    }
    files = {name: parquet(tmp_path) if name == "p.parquet" else contents[name]}
    result = run_one(kind, files=files, **{"from": f"{{{{ vars.files['{name}'] }}}}"}, table="people")
    assert result.outputs["rowCount"] == 2, result.messages
    assert rows_of(ask) == PEOPLE


@pytest.mark.parametrize("kind", ["Load", "Batch"])
@pytest.mark.usefixtures("people")
def test_columns_say_which_of_the_files_go_in(run_one: RunOne, ask: Ask, kind: str) -> None:
    files = {"p.csv": b"NAME,what,Id\nAda,x,1\n"}
    run_one(kind, files=files, **{"from": "{{ vars.files['p.csv'] }}"}, table="people", columns=["Id", "NAME"])
    assert rows_of(ask) == ([(1, "Ada", None)] if kind == "Load" else [])


@pytest.mark.usefixtures("people")
def test_a_column_that_the_table_lacks_is_named(run_one: RunOne) -> None:
    files = {"p.csv": b"id,age\n1,2\n"}
    result = run_one("Load", files=files, **{"from": "{{ vars.files['p.csv'] }}"}, table="people")
    assert "the table people has no column 'age' (it has id, name, born;" in result.messages[-1]


@pytest.mark.usefixtures("people")
def test_structures_become_json_and_arrays(run_one: RunOne, ask: Ask) -> None:
    ask("CREATE TABLE docs (doc jsonb, tags text[])")
    line = b'{"doc": {"a": [1]}, "tags": ["x", "y,z"]}\n'
    for kind in ("Load", "Batch"):
        result = run_one(kind, files={"d.jsonl": line}, **{"from": "{{ vars.files['d.jsonl'] }}"}, table="docs")
        assert result.state == "SUCCESS", result.messages
    assert ask("SELECT doc, tags FROM docs") == [({"a": [1]}, ["x", "y,z"])] * 2


@pytest.mark.usefixtures("people")
def test_a_batch_runs_its_sql_for_each_row(run_one: RunOne, ask: Ask) -> None:
    ask("INSERT INTO people VALUES (1, 'old'), (2, 'old'), (3, 'old')")
    sql = "UPDATE people SET name = ? || '%' WHERE id = ?"
    result = run_one(
        "Batch", files={"p": LINES}, **{"from": "{{ vars.files.p }}"}, sql=sql, columns=["name", "id"], chunk=1
    )
    assert result.outputs == {"rowCount": 2, "updatedCount": 2}, result.messages
    assert ask("SELECT name FROM people ORDER BY id") == [("Ada, Countess%",), ("Grace%",), ("old",)]


@pytest.mark.usefixtures("people")
def test_a_batch_is_done_whole_or_not_at_all(run_one: RunOne, ask: Ask) -> None:
    lines = b'[1, "a"]\n["x", "b"]\n'
    result = run_one(
        "Batch", files={"p": lines}, **{"from": "{{ vars.files.p }}"}, sql="INSERT INTO people VALUES (?, ?)", chunk=1
    )
    assert result.state == "FAILED"
    assert rows_of(ask) == []


def test_taxi_data_is_staged_and_merged_once(run_tasks: RunTasks, postgres_url: str, ask: Ask, tmp_path: Path) -> None:
    """A course's first pipeline: a shell fetches a CSV, it is copied into a staging table, and new rows are merged."""
    source = tmp_path / "rides.csv.gz"
    source.write_bytes(gzip.compress(b"VendorID,fare_amount,note\n1,5.5,\n2,7,late\n"))
    for _ in range(2):
        execution = run_tasks(
            f"""
            - id: extract
              type: io.kestra.plugin.scripts.shell.Commands
              outputFiles: ["*.csv"]
              taskRunner:
                type: io.kestra.plugin.core.runner.Process
              commands:
                - gunzip < {source} > {{{{render(vars.file)}}}}

            - id: when_yellow
              type: io.kestra.plugin.core.flow.If
              condition: "{{{{inputs.taxi == 'yellow'}}}}"
              then:
                - id: tables
                  type: io.kestra.plugin.jdbc.postgresql.Queries
                  sql: |
                    CREATE TABLE IF NOT EXISTS {{{{render(vars.table)}}}} (key text, VendorID text, fare_amount float8);
                    CREATE TABLE IF NOT EXISTS {{{{render(vars.staging)}}}} (LIKE {{{{render(vars.table)}}}});
                    ALTER TABLE {{{{render(vars.staging)}}}} ADD COLUMN IF NOT EXISTS note text;
                    TRUNCATE TABLE {{{{render(vars.staging)}}}};
                - id: copy_in
                  type: io.kestra.plugin.jdbc.postgresql.CopyIn
                  format: CSV
                  from: "{{{{render(vars.data)}}}}"
                  table: "{{{{render(vars.staging)}}}}"
                  header: true
                  columns: [VendorID,fare_amount,note]
                - id: merge
                  type: io.kestra.plugin.jdbc.postgresql.Queries
                  sql: |
                    UPDATE {{{{render(vars.staging)}}}} SET key = md5(COALESCE(CAST(VendorID AS text), ''));
                    MERGE INTO {{{{render(vars.table)}}}} AS T
                    USING {{{{render(vars.staging)}}}} AS S
                    ON T.key = S.key
                    WHEN NOT MATCHED THEN
                      INSERT (key, VendorID, fare_amount) VALUES (S.key, S.VendorID, S.fare_amount);
            """,
            more=f"""
            inputs:
              - {{id: taxi, type: SELECT, values: [yellow, green], defaults: yellow}}
            variables:
              file: "{{{{inputs.taxi}}}}_rides.csv"
              table: "public.{{{{inputs.taxi}}}}_rides"
              staging: "public.{{{{inputs.taxi}}}}_rides_staging"
              data: "{{{{outputs.extract.outputFiles[inputs.taxi ~ '_rides.csv']}}}}"
            pluginDefaults:
              - type: io.kestra.plugin.jdbc.postgresql
                values:
                  url: {postgres_url}
                  username: nbflow
                  password: any
            """,
        )
        assert execution.state == "SUCCESS", messages(execution)
    assert ask("SELECT vendorid, fare_amount FROM yellow_rides ORDER BY 1") == [("1", 5.5), ("2", 7.0)]

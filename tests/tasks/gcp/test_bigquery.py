"""BigQuery: jobs are started, followed, read and cancelled, as a stand-in on DuckDB sees it."""

from __future__ import annotations

import json

import pytest

from nbflow.engine import Engine
from nbflow.testing import eventually
from tests.tasks.conftest import RunTasks, messages
from tests.tasks.gcp.conftest import DEFAULTS, RunCloud
from tests.tasks.gcp.google import Google


def test_rows_come_as_json_of_their_types(google: Google, run_cloud: RunCloud) -> None:
    execution = run_cloud("""
        - id: query
          type: io.kestra.plugin.gcp.bigquery.Query
          fetchType: FETCH_ONE
          sql: |
            SELECT 'ü' AS text, 1 AS whole, 1.5::DECIMAL(4,1) AS numeric, 2.5::DOUBLE AS broken, true AS yes,
              NULL AS nothing, DATE '2024-02-29' AS day, TIMESTAMPTZ '2024-02-29 10:00:00.25+02' AS moment,
              [1, 2] AS list, {'a': 1, 'b': 'x'} AS record, 'AB'::BLOB AS bytes, '{"k": [1]}'::JSON AS json
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["query"].outputs["row"] == {
        "text": "ü",
        "whole": 1,
        "numeric": 1.5,
        "broken": 2.5,
        "yes": True,
        "nothing": None,
        "day": "2024-02-29",
        "moment": "2024-02-29T08:00:00.250000Z",
        "list": [1, 2],
        "record": {"a": 1, "b": "x"},
        "bytes": "QUI=",
        "json": {"k": [1]},
    }


@pytest.mark.parametrize("how", ["fetchType: FETCH", "fetch: true"])
def test_all_rows_are_fetched_over_all_pages(google: Google, run_cloud: RunCloud, how: str) -> None:
    google.page = 2
    execution = run_cloud(f"- {{id: query, type: bigquery, {how}, sql: SELECT * FROM range(5) t(n)}}")
    outputs = execution.task_runs["query"].outputs
    assert outputs["rows"] == [{"n": number} for number in range(5)]
    assert outputs["size"] == 5


def test_rows_are_stored_as_json_lines(google: Google, run_cloud: RunCloud, engine: Engine) -> None:
    google.page = 2
    execution = run_cloud("- {id: query, type: bigquery, store: true, sql: SELECT * FROM range(3) t(n)}")
    outputs = execution.task_runs["query"].outputs
    lines = engine.read_file(str(outputs["uri"])).decode().splitlines()
    assert ([json.loads(line) for line in lines], outputs["size"]) == ([{"n": 0}, {"n": 1}, {"n": 2}], 3)


def test_rows_stay_in_bigquery_unless_asked_for(google: Google, run_cloud: RunCloud) -> None:
    outputs = run_cloud("- {id: query, type: bigquery, sql: SELECT 1 AS one}").task_runs["query"].outputs
    assert outputs["destinationTable"] == {"project": "demo", "dataset": "_temporary", "table": "anon1"}
    assert "rows" not in outputs
    assert not any(path.startswith("/bigquery/v2/projects/demo/queries") for _, path, _ in google.asked)


def test_a_query_says_how_its_table_is_to_be_written(google: Google, run_cloud: RunCloud) -> None:
    execution = run_cloud("""
        - {id: dataset, type: io.kestra.plugin.gcp.bigquery.CreateDataset, name: zoomcamp, location: EU}
        - id: query
          type: io.kestra.plugin.gcp.bigquery.Query
          destinationTable: zoomcamp.daily
          writeDisposition: WRITE_TRUNCATE
          createDisposition: CREATE_IF_NEEDED
          clusteringFields: [day]
          timePartitioningField: day
          defaultDataset: zoomcamp
          location: EU
          labels: {team: data}
          jobTimeout: PT10M
          maximumBytesBilled: 1000
          sql: SELECT DATE '2024-01-01' AS day
    """)
    assert execution.state == "SUCCESS", messages(execution)
    job = next(iter(google.jobs.values()))
    assert job["jobReference"]["location"] == "EU"
    assert job["configuration"] == {
        "labels": {"team": "data"},
        "jobTimeoutMs": "600000",
        "query": {
            "query": "SELECT DATE '2024-01-01' AS day",
            "useLegacySql": False,
            "priority": "INTERACTIVE",
            "destinationTable": {"projectId": "demo", "datasetId": "zoomcamp", "tableId": "daily"},
            "writeDisposition": "WRITE_TRUNCATE",
            "createDisposition": "CREATE_IF_NEEDED",
            "clustering": {"fields": ["day"]},
            "timePartitioning": {"field": "day", "type": "DAY"},
            "defaultDataset": {"projectId": "demo", "datasetId": "zoomcamp"},
            "maximumBytesBilled": "1000",
        },
    }


def test_a_failed_job_says_why(google: Google, run_cloud: RunCloud) -> None:
    execution = run_cloud("- {id: query, type: bigquery, sql: SELECT * FROM nowhere}")
    assert execution.state == "FAILED"
    assert messages(execution)[-1].startswith("the job failed: Catalog Error: Table with name nowhere does not exist!")


def test_a_job_that_failed_in_passing_is_started_again(google: Google, run_cloud: RunCloud) -> None:
    passing = {"error": {"code": 400, "message": "x", "errors": [{"reason": "jobBackendError"}]}}
    google.failures = [(400, passing)]
    execution = run_cloud("""
        - id: query
          type: bigquery
          retryAuto: {type: constant, interval: PT0S, maxAttempts: 2}
          sql: SELECT 1 AS one
          fetchOne: true
    """)
    assert execution.task_runs["query"].outputs["row"] == {"one": 1}
    assert "Google answered 400: x; tried again in 0.0 s" in messages(execution)


def test_a_kill_cancels_the_job(google: Google, engine: Engine, run_tasks: RunTasks, run_cloud: RunCloud) -> None:
    google.stuck = True
    execution = run_tasks("- {id: query, type: bigquery, sql: SELECT 1}", more=DEFAULTS, wait=False)
    eventually(lambda: bool(google.jobs))
    engine.kill(execution.id)
    assert engine.wait(execution.id, timeout=30).state == "KILLED"
    eventually(lambda: google.cancelled == list(google.jobs))


def test_a_dry_run_checks_only(google: Google, run_cloud: RunCloud) -> None:
    google.stuck = True
    assert run_cloud("- {id: query, type: bigquery, dryRun: true, fetch: true, sql: SELECT 1}").state == "SUCCESS"


@pytest.mark.parametrize("policy", ["SKIP", "UPDATE", "ERROR"])
def test_a_dataset_that_exists_is_kept_changed_or_refused(google: Google, run_cloud: RunCloud, policy: str) -> None:
    execution = run_cloud(f"""
        - {{id: one, type: bigquery_create_dataset, name: d}}
        - {{id: two, type: bigquery_create_dataset, name: d, friendlyName: Mine, ifExists: {policy}}}
    """)
    if policy == "ERROR":
        assert messages(execution)[-1] == "there is a dataset `d` already (set `ifExists` to SKIP or UPDATE)"
    else:
        outputs = execution.task_runs["two"].outputs
        assert (outputs["dataset"], outputs["project"], outputs["location"]) == ("d", "demo", "US")
        assert outputs.get("friendlyName") == ("Mine" if policy == "UPDATE" else None)


def test_files_become_tables_and_tables_files(google: Google, run_cloud: RunCloud, engine: Engine) -> None:
    google.buckets["b"] = {"name": "b"}
    uri = engine.store.files.put_bytes("tests/people.csv", b"id,name\n1,Ada\n2,Bo\n")
    execution = run_cloud(f"""
        - {{id: dataset, type: bigquery_create_dataset, name: d}}
        - id: load
          type: io.kestra.plugin.gcp.bigquery.Load
          from: "{uri}"
          destinationTable: demo.d.people
          autodetect: true
          writeDisposition: WRITE_TRUNCATE
          csvOptions: {{skipLeadingRows: 1, fieldDelimiter: ",", allowQuotedNewLines: true}}
        - {{id: upload, type: gcs_upload, from: "{uri}", to: gs://b/people.csv}}
        - id: fromGcs
          type: io.kestra.plugin.gcp.bigquery.LoadFromGcs
          from: [gs://b/people.csv]
          destinationTable: d.people2
          format: CSV
        - id: count
          type: bigquery
          fetchOne: true
          sql: "SELECT (SELECT count(*) FROM `d.people`) + (SELECT count(*) FROM `demo.d.people2`) AS n"
        - id: extract
          type: io.kestra.plugin.gcp.bigquery.ExtractToGcs
          sourceTable: d.people
          destinationUris: [gs://b/out.csv]
          format: CSV
        - {{id: drop, type: bigquery_delete_table, dataset: d, table: people2}}
        - {{id: dropAll, type: bigquery_delete_dataset, name: d, deleteContents: true}}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["load"].outputs["rows"] == 2
    assert execution.task_runs["load"].outputs["destinationTable"] == "demo.d.people"
    assert execution.task_runs["count"].outputs["row"] == {"n": 4}
    assert execution.task_runs["extract"].outputs["fileCounts"] == [1]
    assert google.objects["b", "out.csv"][1] == b"id,name\n1,Ada\n2,Bo\n"
    load = next(job["configuration"]["load"] for job in google.jobs.values() if "load" in job["configuration"])
    assert load["sourceFormat"] == "CSV"
    assert (load["skipLeadingRows"], load["allowQuotedNewlines"]) == (1, True)
    assert google.datasets == {}


def test_an_empty_file_is_a_failure_unless_it_may_be(run_cloud: RunCloud, engine: Engine) -> None:
    uri = engine.store.files.put_bytes("tests/empty.csv", b"")
    load = f"type: bigquery_load, from: '{uri}', destinationTable: d.t"
    execution = run_cloud(f"""
        - {{id: may, {load}, failedOnEmpty: false}}
        - {{id: must, {load}}}
    """)
    assert [run.state for run in execution.task_runs] == ["SUCCESS", "FAILED"]
    assert messages(execution)[-1] == "the file is empty (set `failedOnEmpty: false` to accept it)"


def test_what_is_no_table_is_refused(run_cloud: RunCloud) -> None:
    execution = run_cloud("- {id: q, type: bigquery, sql: SELECT 1, destinationTable: trips}")
    assert messages(execution)[-1] == "`trips` is no table (write `dataset.table` or `project.dataset.table`)"

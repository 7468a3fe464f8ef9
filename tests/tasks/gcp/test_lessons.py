"""The pipeline of the lessons' part 7, whole: CSV to a bucket, a table over it, a merge without twins."""

from __future__ import annotations

from datetime import UTC, datetime

from nbflow.engine import Engine
from tests.tasks.conftest import RunTasks, messages
from tests.tasks.gcp.google import Google

SETUP = """
- {id: GCP_PROJECT_ID, type: io.kestra.plugin.core.kv.Set, key: GCP_PROJECT_ID, kvType: STRING, value: demo}
- {id: GCP_LOCATION, type: io.kestra.plugin.core.kv.Set, key: GCP_LOCATION, kvType: STRING, value: EU}
- {id: GCP_BUCKET_NAME, type: io.kestra.plugin.core.kv.Set, key: GCP_BUCKET_NAME, kvType: STRING, value: lake}
- {id: GCP_DATASET, type: io.kestra.plugin.core.kv.Set, key: GCP_DATASET, kvType: STRING, value: zoomcamp}
- id: create_gcs_bucket
  type: io.kestra.plugin.gcp.gcs.CreateBucket
  name: "{{ kv('GCP_BUCKET_NAME') }}"
- id: create_bq_dataset
  type: io.kestra.plugin.gcp.bigquery.CreateDataset
  name: "{{ kv('GCP_DATASET') }}"
"""

PIPELINE = """
- id: extract
  type: io.kestra.plugin.core.storage.Write
  content: "vendor,pickup,amount\\n1,2019-01-01 10:00:00,7.5\\n2,2019-01-01 11:00:00,9\\n"
  extension: .csv
- id: upload_to_gcs
  type: io.kestra.plugin.gcp.gcs.Upload
  from: "{{ outputs.extract.uri }}"
  to: "gs://{{ kv('GCP_BUCKET_NAME') }}/{{ render(vars.file) }}"
- id: table
  type: io.kestra.plugin.gcp.bigquery.Query
  sql: |
    CREATE TABLE IF NOT EXISTS `{{ kv('GCP_DATASET') }}.{{ vars.table }}` (
      unique_key BYTES OPTIONS (description = 'Made from the others.'),
      vendor STRING, pickup TIMESTAMP, amount NUMERIC
    ) PARTITION BY DATE(pickup);
- id: external
  type: io.kestra.plugin.gcp.bigquery.Query
  sql: |
    CREATE EXTERNAL TABLE IF NOT EXISTS `{{ kv('GCP_DATASET') }}.{{ render(vars.file) | replace({'.csv': '_ext'}) }}`
    OPTIONS (
      format = 'CSV',
      uris = ['gs://{{ kv('GCP_BUCKET_NAME') }}/{{ render(vars.file) }}']
    );
- id: merge
  type: io.kestra.plugin.gcp.bigquery.Query
  sql: |
    MERGE INTO `{{ kv('GCP_DATASET') }}.{{ vars.table }}` AS T
    USING (
      SELECT *, MD5(CONCAT(vendor, CAST(pickup AS STRING))) AS unique_key
      FROM `{{ kv('GCP_DATASET') }}.{{ render(vars.file) | replace({'.csv': '_ext'}) }}`
    ) AS S
    ON T.unique_key = S.unique_key
    WHEN NOT MATCHED THEN INSERT (unique_key, vendor, pickup, amount)
      VALUES (S.unique_key, S.vendor, S.pickup, S.amount);
- id: verify
  type: io.kestra.plugin.gcp.bigquery.Query
  fetchType: FETCH_ONE
  sql: |
    SELECT COUNT(*) AS trip_count, AVG(amount) AS avg_fare
    FROM `{{ kv('GCP_PROJECT_ID') }}.zoomcamp.{{ vars.table }}`
"""

AROUND = """
variables:
  file: "{{ inputs.taxi }}_tripdata_2019-01.csv"
  table: yellow_tripdata
inputs:
  - {id: taxi, type: SELECT, values: [yellow, green], defaults: yellow}
pluginDefaults:
  - type: io.kestra.plugin.gcp
    values:
      serviceAccount: "{{ secret('GCP_CREDS') }}"
      projectId: "{{ kv('GCP_PROJECT_ID') }}"
      location: "{{ kv('GCP_LOCATION') }}"
      bucket: "{{ kv('GCP_BUCKET_NAME') }}"
"""


def test_the_pipeline_of_the_lessons_runs_twice_without_twins(
    google: Google, run_tasks: RunTasks, engine: Engine
) -> None:
    engine.store.secrets.put("tests", "GCP_CREDS", google.service_account, datetime.now(UTC))
    assert run_tasks(SETUP, more=AROUND).state == "SUCCESS"
    assert google.buckets["lake"]["location"] == google.datasets["zoomcamp"]["location"] == "EU"
    for _ in range(2):
        execution = run_tasks(PIPELINE, more=AROUND)
        assert execution.state == "SUCCESS", messages(execution)
        assert execution.task_runs["verify"].outputs["row"] == {"trip_count": 2, "avg_fare": 8.25}
    assert all(job["jobReference"]["location"] == "EU" for job in google.jobs.values())

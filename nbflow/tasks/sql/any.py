"""Task types that ask any database: the one that `url` names."""

from __future__ import annotations

from nbflow.plugins import Example, task_type
from nbflow.tasks.sql.batch import AnyBatch
from nbflow.tasks.sql.query import AnyQueries, AnyQuery

_QUERY = Example(
    title="Ask whichever database the URL names, here a file of SQLite.",
    yaml="""
    id: total
    type: io.kestra.plugin.jdbc.Query
    url: "jdbc:sqlite::memory:"
    sql: SELECT 6 * :factor AS answer
    parameters:
      factor: 7
    fetchType: FETCH_ONE
    """,
)
_QUERIES = Example(
    title="Several statements in one transaction.",
    yaml="""
    id: steps
    type: io.kestra.plugin.jdbc.Queries
    url: "jdbc:sqlite::memory:"
    sql: |
      CREATE TABLE numbers (n INTEGER);
      INSERT INTO numbers VALUES (1), (2), (3);
      SELECT sum(n) AS total FROM numbers;
    fetchType: FETCH
    """,
)
_BATCH = Example(
    title="Insert the rows of a stored file into a table.",
    yaml="""
    - id: rows
      type: io.kestra.plugin.core.storage.Write
      extension: .jsonl
      content: |
        {"id": 1, "name": "Ada"}
        {"id": 2, "name": "Grace"}

    - id: insert
      type: io.kestra.plugin.jdbc.Batch
      url: jdbc:sqlite:people.db
      from: "{{ outputs.rows.uri }}"
      sql: INSERT INTO people VALUES (?, ?)
    """,
    needs="a table `people`",
)


@task_type("io.kestra.plugin.jdbc.Query", aliases=["sql"], examples=[_QUERY])
class Query(AnyQuery):
    """Run SQL on the database that `url` names: a JDBC URL, or one of SQLAlchemy.

    Of several statements, the last one that has rows gives the output.
    """


@task_type("io.kestra.plugin.jdbc.Queries", aliases=["sql_queries"], examples=[_QUERIES])
class Queries(AnyQueries):
    """Run several SQL statements on the database that `url` names; each that has rows gives an output."""


@task_type("io.kestra.plugin.jdbc.Batch", aliases=["sql_batch"], examples=[_BATCH])
class Batch(AnyBatch):
    """Run a statement once for each row of a stored file, on the database that `url` names, in one transaction."""

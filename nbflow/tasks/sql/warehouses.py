"""Task types for the databases that are reached through a dialect of SQLAlchemy: three for each."""

from __future__ import annotations

from nbflow.plugins import Example, task_type
from nbflow.tasks.sql.batch import AnyBatch
from nbflow.tasks.sql.query import AnyQueries, AnyQuery

_QUERY = "Run SQL on {}. Of several statements, the last one that has rows gives the output."
_QUERIES = "Run several SQL statements on {}; each that has rows gives an output."
_BATCH = "Run a statement of {} once for each row of a stored file, all in one transaction."
_LOGIN = """
username: app
password: "{{ secret('DB_PASSWORD') }}"
"""


_URLS = {
    "sqlserver": '"jdbc:sqlserver://db.example.com:1433;databaseName=shop"',
    "oracle": '"jdbc:oracle:thin:@//db.example.com:1521/shop"',
    "druid": '"jdbc:avatica:remote:url=http://db.example.com:8888/druid/v2/sql/avatica/"',
    "dremio": '"jdbc:dremio:direct=db.example.com:31010"',
    "pinot": "jdbc:pinot://db.example.com:9000",
    "hana": '"jdbc:sap://db.example.com:39015/?databaseName=shop"',
}


def _example(name: str, kind: str, title: str, more: str, what: str) -> list[Example]:
    head = f"type: io.kestra.plugin.jdbc.{kind}.{name}\nurl: {_URLS.get(kind, f'jdbc:{kind}://db.example.com/shop')}"
    return [Example(f"{head}{_LOGIN}{more}", title=what, needs=f"a {title} database")]


def _query(kind: str, title: str, name: str) -> type[AnyQuery]:
    """The class that asks one kind of database; `name` is that of the variable it is given to."""
    made = type(name, (AnyQuery,), {"__module__": __name__, "__doc__": _QUERY.format(title), "kinds": (kind,)})
    sql = "sql: select count(*) as orders from orders\nfetchType: FETCH_ONE"
    examples = _example("Query", kind, title, sql, "One number.")
    return task_type(f"io.kestra.plugin.jdbc.{kind}.Query", aliases=[kind], examples=examples)(made)


def _queries(kind: str, title: str, name: str) -> type[AnyQueries]:
    made = type(name, (AnyQueries,), {"__module__": __name__, "__doc__": _QUERIES.format(title), "kinds": (kind,)})
    sql = "sql: select 1 as one; select 2 as two\nfetchType: FETCH"
    examples = _example("Queries", kind, title, sql, "Two statements.")
    return task_type(f"io.kestra.plugin.jdbc.{kind}.Queries", aliases=[f"{kind}_queries"], examples=examples)(made)


def _batch(kind: str, title: str, name: str) -> type[AnyBatch]:
    made = type(name, (AnyBatch,), {"__module__": __name__, "__doc__": _BATCH.format(title), "kinds": (kind,)})
    sql = "from: kestra:///company/team/orders.jsonl\nsql: insert into orders values (?, ?)"
    examples = _example("Batch", kind, title, sql, "A row for each record of a stored file.")
    return task_type(f"io.kestra.plugin.jdbc.{kind}.Batch", aliases=[f"{kind}_batch"], examples=examples)(made)


SqlServerQuery = _query("sqlserver", "SQL Server", "SqlServerQuery")
SqlServerQueries = _queries("sqlserver", "SQL Server", "SqlServerQueries")
SqlServerBatch = _batch("sqlserver", "SQL Server", "SqlServerBatch")
OracleQuery = _query("oracle", "Oracle", "OracleQuery")
OracleQueries = _queries("oracle", "Oracle", "OracleQueries")
OracleBatch = _batch("oracle", "Oracle", "OracleBatch")
ClickHouseQuery = _query("clickhouse", "ClickHouse", "ClickHouseQuery")
ClickHouseQueries = _queries("clickhouse", "ClickHouse", "ClickHouseQueries")
ClickHouseBatch = _batch("clickhouse", "ClickHouse", "ClickHouseBatch")
TrinoQuery = _query("trino", "Trino", "TrinoQuery")
TrinoQueries = _queries("trino", "Trino", "TrinoQueries")
TrinoBatch = _batch("trino", "Trino", "TrinoBatch")
RedshiftQuery = _query("redshift", "Redshift", "RedshiftQuery")
RedshiftQueries = _queries("redshift", "Redshift", "RedshiftQueries")
RedshiftBatch = _batch("redshift", "Redshift", "RedshiftBatch")
VerticaQuery = _query("vertica", "Vertica", "VerticaQuery")
VerticaQueries = _queries("vertica", "Vertica", "VerticaQueries")
VerticaBatch = _batch("vertica", "Vertica", "VerticaBatch")
PinotQuery = _query("pinot", "Pinot", "PinotQuery")
PinotQueries = _queries("pinot", "Pinot", "PinotQueries")
PinotBatch = _batch("pinot", "Pinot", "PinotBatch")
DruidQuery = _query("druid", "Druid", "DruidQuery")
DruidQueries = _queries("druid", "Druid", "DruidQueries")
DruidBatch = _batch("druid", "Druid", "DruidBatch")
DremioQuery = _query("dremio", "Dremio", "DremioQuery")
DremioQueries = _queries("dremio", "Dremio", "DremioQueries")
DremioBatch = _batch("dremio", "Dremio", "DremioBatch")
Db2Query = _query("db2", "Db2", "Db2Query")
Db2Queries = _queries("db2", "Db2", "Db2Queries")
Db2Batch = _batch("db2", "Db2", "Db2Batch")
As400Query = _query("as400", "AS/400", "As400Query")
As400Queries = _queries("as400", "AS/400", "As400Queries")
As400Batch = _batch("as400", "AS/400", "As400Batch")
HanaQuery = _query("hana", "SAP HANA", "HanaQuery")
HanaQueries = _queries("hana", "SAP HANA", "HanaQueries")
HanaBatch = _batch("hana", "SAP HANA", "HanaBatch")

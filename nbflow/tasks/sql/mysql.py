"""Task types for MySQL and MariaDB."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace

from pydantic import Field

from nbflow.plugins import Dynamic, Example, RunContext, Text, task_type
from nbflow.tasks.sql.batch import AnyBatch
from nbflow.tasks.sql.query import AnyQueries, AnyQuery, OneDatabase
from nbflow.tasks.sql.urls import Address

_INPUT_FILE = "inputFile"


class OnMySql(OneDatabase):
    """How MySQL is reached."""

    kinds = ("mysql", "mariadb")


class OnMySqlFiles(OnMySql):
    """A file that LOAD DATA LOCAL INFILE reads."""

    input_file: Dynamic[Text] | None = Field(
        default=None, description="URI of a stored file: `LOAD DATA LOCAL INFILE '{{ inputFile }}'` reads it."
    )

    def address(self, ctx: RunContext) -> Address:
        address = super().address(ctx)
        if not self.input_file:
            return address
        return replace(address, options={**address.options, "allowLoadLocalInfile": "true"})

    def names(self, ctx: RunContext) -> Mapping[str, object]:
        """What SQL may name beside what expressions see."""
        names: dict[str, object] = {"workingDir": str(ctx.working_dir)}
        if self.input_file:
            target = ctx.path(_INPUT_FILE)
            shutil.copyfile(ctx.file(self.input_file), target)
            names[_INPUT_FILE] = str(target)
        return names


_NEEDS = "a MySQL server"


def _example(kind: str, name: str, title: str, more: str) -> list[Example]:
    login = "username: app\npassword: \"{{ secret('MYSQL_PASSWORD') }}\""
    head = f"type: io.kestra.plugin.jdbc.{kind}.{name}\nurl: jdbc:{kind}://localhost:3306/shop\n{login}\n"
    return [Example(head + more, title=title, needs=_NEEDS)]


def _of_query(kind: str) -> list[Example]:
    sql = "LOAD DATA LOCAL INFILE '{{ inputFile }}' INTO TABLE orders FIELDS TERMINATED BY ',' IGNORE 1 LINES"
    more = f"inputFile: kestra:///company/team/orders.csv\nsql: |\n  {sql}\nfetchType: NONE"
    return _example(kind, "Query", "Load a stored CSV into a table.", more)


def _of_queries(kind: str) -> list[Example]:
    more = "sql: |\n  UPDATE orders SET open = 0 WHERE paid = 1;\n  SELECT count(*) AS n FROM orders;\nfetchType: FETCH"
    return _example(kind, "Queries", "Change rows and count them, in one transaction.", more)


def _of_batch(kind: str) -> list[Example]:
    more = "from: kestra:///company/team/orders.jsonl\ntable: orders"
    return _example(kind, "Batch", "Insert the rows of a stored file.", more)


@task_type("io.kestra.plugin.jdbc.mysql.Query", aliases=["mysql"], examples=_of_query("mysql"))
class Query(OnMySqlFiles, AnyQuery):
    """Run SQL on MySQL. Of several statements, the last one that has rows gives the output."""


@task_type("io.kestra.plugin.jdbc.mysql.Queries", aliases=["mysql_queries"], examples=_of_queries("mysql"))
class Queries(OnMySqlFiles, AnyQueries):
    """Run several SQL statements on MySQL; each that has rows gives an output."""


@task_type("io.kestra.plugin.jdbc.mysql.Batch", aliases=["mysql_batch"], examples=_of_batch("mysql"))
class Batch(OnMySql, AnyBatch):
    """Run a statement of MySQL once for each row of a stored file, all in one transaction."""


@task_type("io.kestra.plugin.jdbc.mariadb.Query", aliases=["mariadb"], examples=_of_query("mariadb"))
class MariaDbQuery(OnMySqlFiles, AnyQuery):
    """Run SQL on MariaDB. Of several statements, the last one that has rows gives the output."""


@task_type("io.kestra.plugin.jdbc.mariadb.Queries", aliases=["mariadb_queries"], examples=_of_queries("mariadb"))
class MariaDbQueries(OnMySqlFiles, AnyQueries):
    """Run several SQL statements on MariaDB; each that has rows gives an output."""


@task_type("io.kestra.plugin.jdbc.mariadb.Batch", aliases=["mariadb_batch"], examples=_of_batch("mariadb"))
class MariaDbBatch(OnMySql, AnyBatch):
    """Run a statement of MariaDB once for each row of a stored file, all in one transaction."""

"""The tasks that run programs: scripts, containers, notebooks and their cells, SQL."""

from __future__ import annotations

from nbflow.builtin.naming import OLD, SCRIPTS, named


def _scripts(language: str) -> dict[str, str]:
    """The two script tasks of a language."""
    module, package = f"nbflow.tasks.scripts.{language}", f"{SCRIPTS}.{language}"
    return {
        **named(f"{module}:Script", f"{package}.Script", language),
        **named(f"{module}:Commands", f"{package}.Commands", f"{language}_commands"),
    }


def _docker(module: str, name: str, alias: str) -> dict[str, str]:
    """A task that asks a Docker engine."""
    target = f"nbflow.tasks.docker.{module}:{name}"
    return named(target, f"io.kestra.plugin.docker.cli.{name}", f"io.kestra.plugin.docker.{name}", alias)


def _jdbc(module: str, kind: str, alias: str, prefix: str = "") -> dict[str, str]:
    """The three tasks of one kind of database: classes begin with `prefix` where a module has several kinds."""
    place = f"nbflow.tasks.sql.{module}:{prefix}"
    return {
        **named(f"{place}Query", f"io.kestra.plugin.jdbc.{kind}Query", alias),
        **named(f"{place}Queries", f"io.kestra.plugin.jdbc.{kind}Queries", f"{alias}_queries"),
        **named(f"{place}Batch", f"io.kestra.plugin.jdbc.{kind}Batch", f"{alias}_batch"),
    }


PROGRAMS: dict[str, str] = {
    **_docker("run", "Run", "docker_run"),
    **_docker("build", "Build", "docker_build"),
    **_docker("images", "Pull", "docker_pull"),
    **_docker("images", "Push", "docker_push"),
    **_docker("images", "Tag", "docker_tag"),
    **_docker("removal", "Rm", "docker_rm"),
    **_docker("removal", "Stop", "docker_stop"),
    **named("nbflow.tasks.scripts.python:Script", f"{SCRIPTS}.python.Script", "python", f"{OLD}.scripts.Python"),
    **named("nbflow.tasks.scripts.python:Commands", f"{SCRIPTS}.python.Commands", "python_commands"),
    **named("nbflow.tasks.scripts.shell:Script", f"{SCRIPTS}.shell.Script", "shell_script", "bash"),
    **named(
        "nbflow.tasks.scripts.shell:Commands",
        f"{SCRIPTS}.shell.Commands",
        "shell",
        f"{OLD}.scripts.Shell",
        f"{OLD}.scripts.Bash",
    ),
    **named("nbflow.tasks.scripts.node:Script", f"{SCRIPTS}.node.Script", "node", f"{OLD}.scripts.Node"),
    **named("nbflow.tasks.scripts.node:Commands", f"{SCRIPTS}.node.Commands", "node_commands"),
    **named("nbflow.tasks.notebooks.run:Run", "nbflow.notebook.Run", "notebook", "papermill", "nbflow.papermill.Run"),
    **named("nbflow.tasks.cells.python:Python", "nbflow.cells.Python", "python_cell"),
    **named("nbflow.tasks.cells.python:Sql", "nbflow.cells.Sql", "sql_cell"),
    **named("nbflow.tasks.cells.shell:Shell", "nbflow.cells.Shell", "shell_cell"),
    **named("nbflow.tasks.cells.shell:Markdown", "nbflow.cells.Markdown", "markdown_cell"),
    **_scripts("r"),
    **_scripts("julia"),
    **_scripts("perl"),
    **_scripts("ruby"),
    **_scripts("lua"),
    **_scripts("php"),
    **_scripts("go"),
    **_scripts("powershell"),
    **_scripts("deno"),
    **_scripts("bun"),
    **_scripts("groovy"),
    **_scripts("jbang"),
    **_scripts("dotnet"),
    **named("nbflow.tasks.sql.duckdb:Query", "io.kestra.plugin.jdbc.duckdb.Query", "duckdb"),
    **named("nbflow.tasks.sql.duckdb:Queries", "io.kestra.plugin.jdbc.duckdb.Queries", "duckdb_queries"),
    **_jdbc("any", "", "sql"),
    **_jdbc("postgresql", "postgresql.", "postgres"),
    **named("nbflow.tasks.sql.copying:CopyIn", "io.kestra.plugin.jdbc.postgresql.CopyIn", "postgres_copy_in"),
    **named("nbflow.tasks.sql.copying:CopyOut", "io.kestra.plugin.jdbc.postgresql.CopyOut", "postgres_copy_out"),
    **named("nbflow.tasks.sql.copying:Load", "io.kestra.plugin.jdbc.postgresql.Load", "postgres_load"),
    **_jdbc("sqlite", "sqlite.", "sqlite"),
    **_jdbc("mysql", "mysql.", "mysql"),
    **_jdbc("mysql", "mariadb.", "mariadb", "MariaDb"),
    **_jdbc("warehouses", "sqlserver.", "sqlserver", "SqlServer"),
    **_jdbc("warehouses", "oracle.", "oracle", "Oracle"),
    **_jdbc("warehouses", "clickhouse.", "clickhouse", "ClickHouse"),
    **_jdbc("snowflake", "snowflake.", "snowflake"),
    **_jdbc("warehouses", "trino.", "trino", "Trino"),
    **_jdbc("warehouses", "redshift.", "redshift", "Redshift"),
    **_jdbc("warehouses", "vertica.", "vertica", "Vertica"),
    **_jdbc("warehouses", "pinot.", "pinot", "Pinot"),
    **_jdbc("warehouses", "druid.", "druid", "Druid"),
    **_jdbc("warehouses", "dremio.", "dremio", "Dremio"),
    **_jdbc("warehouses", "db2.", "db2", "Db2"),
    **_jdbc("warehouses", "as400.", "as400", "As400"),
    **_jdbc("warehouses", "hana.", "hana", "Hana"),
}
"""Name → class."""

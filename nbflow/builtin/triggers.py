"""The triggers, and the conditions they ask."""

from __future__ import annotations

from nbflow.builtin.naming import CORE, SCRIPTS, named


def _script_triggers(target: str, alias: str) -> dict[str, str]:
    """A trigger of all languages of scripts: one class for all of them."""
    languages = "shell python node r ruby go julia perl php powershell lua groovy jbang bun deno dotnet"
    names = (f"{SCRIPTS}.{language}.{target}" for language in languages.split())
    return named(f"nbflow.tasks.scripts.triggers:{target}", *names, alias)


def _jdbc_triggers(target: str, alias: str, kinds: str) -> dict[str, str]:
    """The trigger of some kinds of databases, with blanks between them: one class for all of them."""
    names = (f"io.kestra.plugin.jdbc.{kind}.Trigger" for kind in kinds.split())
    return named(f"nbflow.tasks.sql.triggers:{target}", *names, f"{alias}_trigger")


def _condition(target: str, name: str) -> dict[str, str]:
    """A condition: `<name>Condition` was in three packages before."""
    return named(
        f"nbflow.triggers.conditions.{target}:{name}",
        f"io.kestra.plugin.core.condition.{name}",
        f"io.kestra.plugin.core.condition.{name}Condition",
        f"io.kestra.core.models.conditions.types.{name}Condition",
        f"io.kestra.core.models.conditions.{name}Condition",
    )


TRIGGERS: dict[str, str] = {
    **named(
        "nbflow.triggers.schedule:Schedule",
        f"{CORE}.trigger.Schedule",
        "schedule",
        "io.kestra.core.models.triggers.types.Schedule",
    ),
    **named("nbflow.triggers.schedule:ScheduleOnDates", f"{CORE}.trigger.ScheduleOnDates", "schedule_on_dates"),
    **named(
        "nbflow.triggers.webhook:Webhook",
        f"{CORE}.trigger.Webhook",
        "webhook",
        "io.kestra.core.models.triggers.types.Webhook",
    ),
    **named("nbflow.triggers.flow:Flow", f"{CORE}.trigger.Flow", "flow", "io.kestra.core.models.triggers.types.Flow"),
    **named(
        "nbflow.tasks.http.triggers:HttpTrigger",
        f"{CORE}.http.Trigger",
        "http_trigger",
        "io.kestra.plugin.fs.http.Trigger",
    ),
    **named("nbflow.tasks.fs.triggers:LocalTrigger", "io.kestra.plugin.fs.local.Trigger", "local_trigger"),
    **named("nbflow.tasks.fs.triggers:SftpTrigger", "io.kestra.plugin.fs.sftp.Trigger", "sftp_trigger"),
    **named("nbflow.tasks.fs.triggers:FtpTrigger", "io.kestra.plugin.fs.ftp.Trigger", "ftp_trigger"),
    **named("nbflow.tasks.fs.triggers:FtpsTrigger", "io.kestra.plugin.fs.ftps.Trigger", "ftps_trigger"),
    **named("nbflow.tasks.fs.triggers:AnyTrigger", "nbflow.fs.Trigger", "fs_trigger"),
    **named("nbflow.tasks.aws.s3.triggers:S3Trigger", "io.kestra.plugin.aws.s3.Trigger", "s3_trigger"),
    **named("nbflow.tasks.gcp.gcs.triggers:GcsTrigger", "io.kestra.plugin.gcp.gcs.Trigger", "gcs_trigger"),
    **_script_triggers("CommandsTrigger", "commands_trigger"),
    **_script_triggers("ScriptTrigger", "script_trigger"),
    **named("nbflow.tasks.sql.triggers:AnyTrigger", "io.kestra.plugin.jdbc.Trigger", "sql_trigger"),
    **_jdbc_triggers("AnyTrigger", "sql", "as400 clickhouse db2 dremio druid hana oracle pinot redshift sqlserver"),
    **_jdbc_triggers("AnyTrigger", "sql", "trino vertica"),
    **_jdbc_triggers("PostgresTrigger", "postgres", "postgresql"),
    **_jdbc_triggers("MySqlTrigger", "mysql", "mysql mariadb"),
    **_jdbc_triggers("SnowflakeTrigger", "snowflake", "snowflake"),
    **_jdbc_triggers("SqliteTrigger", "sqlite", "sqlite"),
    **_jdbc_triggers("DuckDbTrigger", "duckdb", "duckdb"),
    **named("nbflow.tasks.kafka.triggers:KafkaTrigger", "io.kestra.plugin.kafka.Trigger", "kafka_trigger"),
    **named(
        "nbflow.tasks.kafka.triggers:KafkaRealtimeTrigger",
        "io.kestra.plugin.kafka.RealtimeTrigger",
        "kafka_realtime_trigger",
    ),
}

CONDITIONS: dict[str, str] = {
    **_condition("dates", "DayWeek"),
    **_condition("dates", "DayWeekInMonth"),
    **_condition("dates", "Weekend"),
    **_condition("dates", "PublicHoliday"),
    **_condition("dates", "DateTimeBetween"),
    **_condition("dates", "TimeBetween"),
    **_condition("executions", "Execution"),
    **_condition("executions", "ExecutionFlow"),
    **_condition("executions", "ExecutionNamespace"),
    **_condition("executions", "ExecutionStatus"),
    **_condition("executions", "ExecutionLabels"),
    **_condition("executions", "ExecutionOutputs"),
    **_condition("executions", "HasRetryAttempt"),
    **_condition("logic", "Expression"),
    **named(
        "nbflow.triggers.conditions.logic:Expression",
        "expression",
        "io.kestra.core.models.conditions.types.VariableCondition",
    ),
    **_condition("logic", "Not"),
    **_condition("logic", "Or"),
    **named(
        "nbflow.triggers.conditions.flows:FlowCondition",
        f"{CORE}.condition.FlowCondition",
        "io.kestra.core.models.conditions.types.FlowCondition",
    ),
    **named(
        "nbflow.triggers.conditions.flows:FlowNamespaceCondition",
        f"{CORE}.condition.FlowNamespaceCondition",
        "io.kestra.core.models.conditions.types.FlowNamespaceCondition",
    ),
    **named(
        "nbflow.triggers.conditions.multiple:MultipleCondition",
        f"{CORE}.condition.MultipleCondition",
        "io.kestra.core.models.conditions.types.MultipleCondition",
    ),
}

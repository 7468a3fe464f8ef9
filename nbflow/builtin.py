"""The catalog of what nbflow itself ships: type name or alias → where the class is. Texts only, nothing imported.

`tests/plugins/test_catalog.py` holds this page and the classes together.
"""

from __future__ import annotations

from nbflow.plugins.catalog import Catalog


def _names(target: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, target)


def _flow(target: str, name: str, *aliases: str, old: bool = True) -> dict[str, str]:
    """A flowable task: `name` was in `io.kestra.core.tasks.flows` before."""
    older = (f"io.kestra.core.tasks.flows.{name}",) if old else ()
    return _names(f"nbflow.tasks.flow.{target}", f"io.kestra.plugin.core.flow.{name}", *older, *aliases)


def _storage(target: str, name: str, *aliases: str) -> dict[str, str]:
    """A task on stored files: `name` was in `io.kestra.core.tasks.storages` before."""
    return _names(
        f"nbflow.tasks.storage.{target}",
        f"io.kestra.plugin.core.storage.{name}",
        f"io.kestra.core.tasks.storages.{name}",
        *aliases,
    )


def _scripts(language: str) -> dict[str, str]:
    """The two script tasks of a language."""
    module, package = f"nbflow.tasks.scripts.{language}", f"{_SCRIPTS}.{language}"
    return {
        **_names(f"{module}:Script", f"{package}.Script", language),
        **_names(f"{module}:Commands", f"{package}.Commands", f"{language}_commands"),
    }


def _jdbc(module: str, kind: str, alias: str, prefix: str = "") -> dict[str, str]:
    """The three tasks of one kind of database: classes begin with `prefix` where a module has several kinds."""
    place = f"nbflow.tasks.sql.{module}:{prefix}"
    return {
        **_names(f"{place}Query", f"io.kestra.plugin.jdbc.{kind}Query", alias),
        **_names(f"{place}Queries", f"io.kestra.plugin.jdbc.{kind}Queries", f"{alias}_queries"),
        **_names(f"{place}Batch", f"io.kestra.plugin.jdbc.{kind}Batch", f"{alias}_batch"),
    }


def _jdbc_triggers(target: str, alias: str, kinds: str) -> dict[str, str]:
    """The trigger of some kinds of databases, with blanks between them: one class for all of them."""
    names = (f"io.kestra.plugin.jdbc.{kind}.Trigger" for kind in kinds.split())
    return _names(f"nbflow.tasks.sql.triggers:{target}", *names, f"{alias}_trigger")


def _condition(target: str, name: str) -> dict[str, str]:
    """A condition: `<name>Condition` was in three packages before."""
    return _names(
        f"nbflow.triggers.conditions.{target}:{name}",
        f"io.kestra.plugin.core.condition.{name}",
        f"io.kestra.plugin.core.condition.{name}Condition",
        f"io.kestra.core.models.conditions.types.{name}Condition",
        f"io.kestra.core.models.conditions.{name}Condition",
    )


def _message(target: str, package: str, name: str, *aliases: str, older: str = "") -> dict[str, str]:
    """A task that tells somebody something: it was in `io.kestra.plugin.notifications` before."""
    return _names(
        f"nbflow.tasks.messages.{target}:{name}",
        f"io.kestra.plugin.{package}.{name}",
        f"io.kestra.plugin.notifications.{older or package}.{name}",
        *aliases,
    )


def _docker(module: str, name: str, alias: str) -> dict[str, str]:
    """A task that asks a Docker engine."""
    target = f"nbflow.tasks.docker.{module}:{name}"
    return _names(target, f"io.kestra.plugin.docker.cli.{name}", f"io.kestra.plugin.docker.{name}", alias)


_CORE = "io.kestra.plugin.core"
_OLD = "io.kestra.core.tasks"
_SCRIPTS = "io.kestra.plugin.scripts"

_MESSAGES: dict[str, str] = {
    **_message(
        "slack",
        "slack",
        "SlackIncomingWebhook",
        "slack",
        "mattermost",
        "io.kestra.plugin.slack.notifications.SlackIncomingWebhook",
        f"{_OLD}.notifications.Slack",
    ),
    **_message(
        "slack", "slack", "SlackExecution", "slack_execution", "io.kestra.plugin.slack.notifications.SlackExecution"
    ),
    **_message("slack", "zulip", "ZulipIncomingWebhook", "zulip"),
    **_message("slack", "zulip", "ZulipExecution", "zulip_execution"),
    **_message("mail", "email", "MailSend", "mail", older="mail"),
    **_message("mail", "email", "MailExecution", "mail_execution", older="mail"),
    **_message("chats", "discord", "DiscordIncomingWebhook", "discord"),
    **_message("chats", "discord", "DiscordExecution", "discord_execution"),
    **_message("chats", "microsoft365.teams", "TeamsIncomingWebhook", "teams", older="teams"),
    **_message("chats", "microsoft365.teams", "TeamsExecution", "teams_execution", older="teams"),
    **_message("chats", "googleworkspace.chat", "GoogleChatIncomingWebhook", "google_chat", older="google"),
    **_message("chats", "googleworkspace.chat", "GoogleChatExecution", "google_chat_execution", older="google"),
    **_message("chats", "telegram", "TelegramSend", "telegram"),
    **_message("chats", "telegram", "TelegramExecution", "telegram_execution"),
    **_message("messengers", "meta.whatsapp", "WhatsAppIncomingWebhook", "whatsapp", older="whatsapp"),
    **_message("messengers", "meta.whatsapp", "WhatsAppExecution", "whatsapp_execution", older="whatsapp"),
    **_message("messengers", "meta.messenger", "MessengerExecution", "messenger_execution", older="messenger"),
    **_message("messengers", "line", "LineExecution", "line_execution"),
    **_message("alerts", "pagerduty", "PagerDutyAlert", "pagerduty"),
    **_message("alerts", "pagerduty", "PagerDutyExecution", "pagerduty_execution"),
    **_message("alerts", "opsgenie", "OpsgenieAlert", "opsgenie"),
    **_message("alerts", "opsgenie", "OpsgenieExecution", "opsgenie_execution"),
    **_message("alerts", "squadcast", "SquadcastIncomingWebhook", "squadcast"),
    **_message("alerts", "squadcast", "SquadcastExecution", "squadcast_execution"),
    **_message("alerts", "zenduty", "ZendutyAlert", "zenduty"),
    **_message("alerts", "zenduty", "ZendutyExecution", "zenduty_execution"),
    **_message("alerts", "twilio.notify", "TwilioAlert", "twilio", older="twilio"),
    **_message("alerts", "twilio.notify", "TwilioExecution", "twilio_execution", older="twilio"),
    **_message("sentry", "sentry", "SentryAlert", "sentry"),
    **_message("sentry", "sentry", "SentryExecution", "sentry_execution"),
    **_names("nbflow.tasks.messages.webhook:Webhook", "nbflow.messages.Webhook", "send_webhook"),
    **_names("nbflow.tasks.messages.webhook:WebhookExecution", "nbflow.messages.WebhookExecution", "webhook_execution"),
}

_DBT: dict[str, str] = {
    name: f"nbflow.tasks.dbt.cli:{command}"
    for command in ("Build", "Run", "Test", "Seed", "Snapshot", "Compile", "Deps", "List", "Freshness")
    for name in (f"io.kestra.plugin.dbt.cli.{command}", f"dbt_{command.lower()}")
}

_GIT: dict[str, str] = {
    f"{prefix}{name}": f"nbflow.tasks.git.{target}"
    for target, *names in (
        ("clone:Clone", "Clone", "git_clone"),
        ("syncing:SyncFlows", "SyncFlows", "git_sync_flows"),
        ("syncing:SyncFlow", "SyncFlow", "git_sync_flow"),
        ("syncing:SyncNamespaceFiles", "SyncNamespaceFiles", "git_sync_files"),
        ("pushing:PushFlows", "PushFlows", "git_push_flows"),
        ("pushing:PushNamespaceFiles", "PushNamespaceFiles", "git_push_files"),
        ("pushing:PushExecutionFiles", "PushExecutionFiles", "git_push_execution_files"),
        ("older:Push", "Push", "git_push"),
        ("older:Sync", "Sync", "git_sync"),
    )
    for prefix, name in zip(("io.kestra.plugin.git.", ""), names, strict=True)
}

_CLOUD: dict[str, str] = {
    f"{prefix}{name}": f"nbflow.tasks.{target}"
    for package, target, *names in (
        ("gcp.gcs", "gcp.gcs.transfer:Upload", "gcs_upload"),
        ("gcp.gcs", "gcp.gcs.transfer:Download", "gcs_download"),
        ("gcp.gcs", "gcp.gcs.transfer:Copy", "gcs_copy"),
        ("gcp.gcs", "gcp.gcs.transfer:Delete", "gcs_delete"),
        ("gcp.gcs", "gcp.gcs.listing:List", "gcs_list"),
        ("gcp.gcs", "gcp.gcs.listing:Downloads", "gcs_downloads"),
        ("gcp.gcs", "gcp.gcs.listing:DeleteList", "gcs_delete_list"),
        ("gcp.gcs", "gcp.gcs.buckets:CreateBucket", "gcs_create_bucket"),
        ("gcp.gcs", "gcp.gcs.buckets:UpdateBucket", "gcs_update_bucket"),
        ("gcp.gcs", "gcp.gcs.buckets:DeleteBucket", "gcs_delete_bucket"),
        ("aws.s3", "aws.s3.transfer:Upload", "s3_upload"),
        ("aws.s3", "aws.s3.transfer:Download", "s3_download"),
        ("aws.s3", "aws.s3.transfer:Copy", "s3_copy"),
        ("aws.s3", "aws.s3.transfer:Delete", "s3_delete"),
        ("aws.s3", "aws.s3.listing:List", "s3_list"),
        ("aws.s3", "aws.s3.listing:Downloads", "s3_downloads"),
        ("aws.s3", "aws.s3.listing:DeleteList", "s3_delete_list"),
        ("aws.s3", "aws.s3.buckets:CreateBucket", "s3_create_bucket"),
        ("gcp.bigquery", "gcp.bigquery.query:Query", "bigquery"),
        ("gcp.bigquery", "gcp.bigquery.datasets:CreateDataset", "bigquery_create_dataset"),
        ("gcp.bigquery", "gcp.bigquery.datasets:UpdateDataset", "bigquery_update_dataset"),
        ("gcp.bigquery", "gcp.bigquery.datasets:DeleteDataset", "bigquery_delete_dataset"),
        ("gcp.bigquery", "gcp.bigquery.datasets:DeleteTable", "bigquery_delete_table"),
        ("gcp.bigquery", "gcp.bigquery.loading:Load", "bigquery_load"),
        ("gcp.bigquery", "gcp.bigquery.loading:LoadFromGcs", "bigquery_load_from_gcs"),
        ("gcp.bigquery", "gcp.bigquery.loading:ExtractToGcs", "bigquery_extract_to_gcs"),
        ("elasticsearch", "elasticsearch.loading:Load", "elasticsearch_load"),
        ("elasticsearch", "elasticsearch.loading:Bulk", "elasticsearch_bulk"),
        ("elasticsearch", "elasticsearch.documents:Search", "elasticsearch_search"),
        ("elasticsearch", "elasticsearch.documents:Get", "elasticsearch_get"),
        ("elasticsearch", "elasticsearch.documents:Put", "elasticsearch_put"),
        ("elasticsearch", "elasticsearch.documents:Request", "elasticsearch_request"),
        ("kafka", "kafka.produce:Produce", "kafka_produce"),
        ("kafka", "kafka.consume:Consume", "kafka_consume"),
        ("ai.completion", "ai.completion:ChatCompletion", "chat", "io.kestra.plugin.ai.ChatCompletion"),
        ("ai.rag", "ai.rag:IngestDocument", "rag_ingest"),
        ("ai.rag", "ai.rag:ChatCompletion", "rag", "io.kestra.plugin.ai.RAGQuery"),
        ("ai.rag", "ai.rag:Search", "rag_search"),
        ("ai", "ai.stages:IngestDocument", "ingest"),
        ("ai", "ai.stages:Embed", "embed"),
    )
    for prefix, name in [(f"io.kestra.plugin.{package}.", target.partition(":")[2]), *(("", name) for name in names)]
}

_TASKS: dict[str, str] = {
    **_CLOUD,
    **_MESSAGES,
    **_GIT,
    **_DBT,
    **_names("nbflow.tasks.dbt.cli:DbtCLI", "io.kestra.plugin.dbt.cli.DbtCLI", "dbt"),
    **_names(
        "nbflow.tasks.purging:PurgeExecutions",
        f"{_CORE}.execution.PurgeExecutions",
        "purge_executions",
        f"{_CORE}.execution.Purge",
        f"{_CORE}.storage.Purge",
        f"{_OLD}.storages.Purge",
    ),
    **_names("nbflow.tasks.purging:PurgeLogs", f"{_CORE}.log.PurgeLogs", "purge_logs"),
    **_names("nbflow.tasks.purging:PurgeKV", f"{_CORE}.kv.PurgeKV", "purge_kv"),
    **_names("nbflow.tasks.kv:Set", f"{_CORE}.kv.Set", "kv_set"),
    **_names("nbflow.tasks.kv:Get", f"{_CORE}.kv.Get", "kv_get"),
    **_names("nbflow.tasks.kv:Delete", f"{_CORE}.kv.Delete", "kv_delete"),
    **_names("nbflow.tasks.kv:GetKeys", f"{_CORE}.kv.GetKeys", "kv_keys"),
    **_names("nbflow.tasks.state:Set", f"{_CORE}.state.Set", "state_set", f"{_OLD}.states.Set"),
    **_names("nbflow.tasks.state:Get", f"{_CORE}.state.Get", "state_get", f"{_OLD}.states.Get"),
    **_names("nbflow.tasks.state:Delete", f"{_CORE}.state.Delete", "state_delete", f"{_OLD}.states.Delete"),
    **_storage("files:Concat", "Concat", "concat"),
    **_storage("files:Reverse", "Reverse", "reverse"),
    **_storage("files:Size", "Size", "file_size"),
    **_storage("files:Delete", "Delete", "delete_file"),
    **_names("nbflow.tasks.storage.files:Write", f"{_CORE}.storage.Write", "write_file"),
    **_storage(
        "files:PurgeCurrentExecutionFiles",
        "PurgeCurrentExecutionFiles",
        "purge_current_execution_files",
        f"{_OLD}.storages.PurgeExecution",
        f"{_CORE}.storage.PurgeExecution",
    ),
    **_storage("splitting:Split", "Split", "split"),
    **_storage("items:FilterItems", "FilterItems", "filter_items"),
    **_storage("items:DeduplicateItems", "DeduplicateItems", "deduplicate_items"),
    **_names("nbflow.tasks.storage.document:Json", f"{_CORE}.types.Json", "read_json"),
    **_storage("local:LocalFiles", "LocalFiles", "local_files"),
    **_names("nbflow.tasks.namespace_files:UploadFiles", f"{_CORE}.namespace.UploadFiles", "upload_files"),
    **_names("nbflow.tasks.namespace_files:DownloadFiles", f"{_CORE}.namespace.DownloadFiles", "download_files"),
    **_names("nbflow.tasks.namespace_files:DeleteFiles", f"{_CORE}.namespace.DeleteFiles", "delete_files"),
    **_names("nbflow.tasks.execution:UnsetVariables", f"{_CORE}.execution.UnsetVariables", "unset_variables"),
    **_names(
        "nbflow.tasks.executions:Count",
        f"{_CORE}.execution.Count",
        "count_executions",
        f"{_CORE}.execution.Counts",
        f"{_OLD}.executions.Counts",
    ),
    **_names("nbflow.tasks.executions:Resume", f"{_CORE}.execution.Resume", "resume"),
    **_names("nbflow.tasks.executions:Fetch", f"{_CORE}.log.Fetch", "fetch_logs", f"{_OLD}.log.Fetch"),
    **_names(
        "nbflow.tasks.templating:TemplatedTask",
        f"{_CORE}.templating.TemplatedTask",
        "templated_task",
        f"{_OLD}.templating.TemplatedTask",
    ),
    **_docker("run", "Run", "docker_run"),
    **_docker("build", "Build", "docker_build"),
    **_docker("images", "Pull", "docker_pull"),
    **_docker("images", "Push", "docker_push"),
    **_docker("images", "Tag", "docker_tag"),
    **_docker("removal", "Rm", "docker_rm"),
    **_docker("removal", "Stop", "docker_stop"),
    **_names("nbflow.tasks.log:Log", f"{_CORE}.log.Log", "log", f"{_OLD}.log.Log"),
    **_names("nbflow.tasks.debug:Return", f"{_CORE}.debug.Return", "return", f"{_OLD}.debugs.Return"),
    **_names("nbflow.tasks.debug:Echo", f"{_CORE}.debug.Echo", "echo", f"{_OLD}.debugs.Echo"),
    **_names("nbflow.tasks.toggle:Toggle", f"{_CORE}.trigger.Toggle", "toggle", "io.kestra.core.tasks.trigger.Toggle"),
    **_names("nbflow.tasks.execution:Fail", f"{_CORE}.execution.Fail", "fail", f"{_OLD}.executions.Fail"),
    **_names(
        "nbflow.tasks.kestra:Query",
        "io.kestra.plugin.kestra.executions.Query",
        "query_executions",
        "io.kestra.plugin.kestra.executions.Search",
    ),
    **_names("nbflow.tasks.kestra:Kill", "io.kestra.plugin.kestra.executions.Kill", "kill"),
    **_names("nbflow.tasks.kestra:Resume", "io.kestra.plugin.kestra.executions.Resume", "resume_execution"),
    **_names("nbflow.tasks.kestra:ListFlows", "io.kestra.plugin.kestra.flows.List", "list_flows"),
    **_names("nbflow.tasks.execution:Exit", f"{_CORE}.execution.Exit", "exit"),
    **_names("nbflow.tasks.execution:Assert", f"{_CORE}.execution.Assert", "assert"),
    **_names("nbflow.tasks.execution:Labels", f"{_CORE}.execution.Labels", "labels", f"{_OLD}.executions.Labels"),
    **_names("nbflow.tasks.execution:SetVariables", f"{_CORE}.execution.SetVariables", "set_variables"),
    **_names("nbflow.tasks.outputs:OutputValues", f"{_CORE}.output.OutputValues", "output_values"),
    **_names("nbflow.tasks.outputs:Expression", f"{_CORE}.condition.Expression", "expression"),
    **_flow("sequential:Sequential", "Sequential", "sequential"),
    **_flow("sequential:AllowFailure", "AllowFailure", "allow_failure"),
    **_flow("parallel:Parallel", "Parallel", "parallel"),
    **_flow("dag:Dag", "Dag", "dag"),
    **_flow("if_:If", "If", "if"),
    **_flow("switch:Switch", "Switch", "switch"),
    **_flow("for_each:ForEach", "ForEach", "foreach", "for_each", old=False),
    **_flow("loop:Loop", "Loop", "loop", old=False),
    **_flow("loop_until:LoopUntil", "LoopUntil", "loop_until", f"{_CORE}.flow.WaitFor", f"{_OLD}.flows.WaitFor"),
    **_flow("for_each_item:ForEachItem", "ForEachItem", "foreach_item", "for_each_item"),
    **_flow("pause:Pause", "Pause", "pause", f"{_OLD}.flows.Pause"),
    **_flow("working_directory:WorkingDirectory", "WorkingDirectory", "working_directory", f"{_OLD}.flows.Worker"),
    **_flow("for_each:EachSequential", "EachSequential", "each_sequential"),
    **_flow("for_each:EachParallel", "EachParallel", "each_parallel"),
    **_flow("subflow:Subflow", "Subflow", "subflow", f"{_OLD}.flows.Flow"),
    **_flow("template:Template", "Template", "flow_template"),
    **_flow("sleep:Sleep", "Sleep", "sleep", old=False),
    **_names(
        "nbflow.tasks.http.request:Request",
        f"{_CORE}.http.Request",
        "http",
        "request",
        f"{_OLD}.http.Request",
        "io.kestra.plugin.fs.http.Request",
    ),
    **_names(
        "nbflow.tasks.http.download:Download",
        f"{_CORE}.http.Download",
        "download",
        f"{_OLD}.http.Download",
        "io.kestra.plugin.fs.http.Download",
    ),
    **_names("nbflow.tasks.http.sse:SseRequest", f"{_CORE}.http.SseRequest", "sse"),
    **_names("nbflow.tasks.scripts.python:Script", f"{_SCRIPTS}.python.Script", "python", f"{_OLD}.scripts.Python"),
    **_names("nbflow.tasks.scripts.python:Commands", f"{_SCRIPTS}.python.Commands", "python_commands"),
    **_names("nbflow.tasks.scripts.shell:Script", f"{_SCRIPTS}.shell.Script", "shell_script", "bash"),
    **_names(
        "nbflow.tasks.scripts.shell:Commands",
        f"{_SCRIPTS}.shell.Commands",
        "shell",
        f"{_OLD}.scripts.Shell",
        f"{_OLD}.scripts.Bash",
    ),
    **_names("nbflow.tasks.scripts.node:Script", f"{_SCRIPTS}.node.Script", "node", f"{_OLD}.scripts.Node"),
    **_names("nbflow.tasks.scripts.node:Commands", f"{_SCRIPTS}.node.Commands", "node_commands"),
    **_names("nbflow.tasks.notebooks.run:Run", "nbflow.notebook.Run", "notebook", "papermill", "nbflow.papermill.Run"),
    **_names("nbflow.tasks.cells.python:Python", "nbflow.cells.Python", "python_cell"),
    **_names("nbflow.tasks.cells.python:Sql", "nbflow.cells.Sql", "sql_cell"),
    **_names("nbflow.tasks.cells.shell:Shell", "nbflow.cells.Shell", "shell_cell"),
    **_names("nbflow.tasks.cells.shell:Markdown", "nbflow.cells.Markdown", "markdown_cell"),
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
    **_names("nbflow.tasks.sql.duckdb:Query", "io.kestra.plugin.jdbc.duckdb.Query", "duckdb"),
    **_names("nbflow.tasks.sql.duckdb:Queries", "io.kestra.plugin.jdbc.duckdb.Queries", "duckdb_queries"),
    **_jdbc("any", "", "sql"),
    **_jdbc("postgresql", "postgresql.", "postgres"),
    **_names("nbflow.tasks.sql.copying:CopyIn", "io.kestra.plugin.jdbc.postgresql.CopyIn", "postgres_copy_in"),
    **_names("nbflow.tasks.sql.copying:CopyOut", "io.kestra.plugin.jdbc.postgresql.CopyOut", "postgres_copy_out"),
    **_names("nbflow.tasks.sql.copying:Load", "io.kestra.plugin.jdbc.postgresql.Load", "postgres_load"),
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

_SERDES = "io.kestra.plugin.serdes"


def _serdes(target: str, name: str, *aliases: str, old: str = "") -> dict[str, str]:
    """A conversion of files, such as `csv.CsvToIon`; `old` is its older name."""
    older = (f"{_SERDES}.{name.partition('.')[0]}.{old}",) if old else ()
    return _names(f"nbflow.tasks.serdes.{target}", f"{_SERDES}.{name}", *aliases, *older)


def _places(kind: str, *more: str) -> dict[str, str]:
    """The tasks on files of one kind of server, such as `sftp`."""
    names = ("Download", "Downloads", "Upload", "Uploads", "List", "Move", "Delete", *more)
    return {
        alias: f"nbflow.tasks.fs.{kind}:{name}"
        for name in names
        for alias in (f"io.kestra.plugin.fs.{kind}.{name}", f"{kind}_{name.lower()}")
    }


_FILES: dict[str, str] = {
    **_places("local", "Copy"),
    **_places("sftp"),
    **_places("ftp"),
    **_places("ftps"),
    **_names("nbflow.tasks.fs.ssh:Command", "io.kestra.plugin.fs.ssh.Command", "ssh"),
    **{
        alias: f"nbflow.tasks.fs.anywhere:{name}"
        for name in ("Download", "Downloads", "Upload", "Uploads", "List", "Move", "Copy", "Delete")
        for alias in (f"nbflow.fs.{name}", f"fs_{name.lower()}")
    },
    **_serdes("csv_files:CsvToIon", "csv.CsvToIon", "csv_to_ion", old="CsvReader"),
    **_serdes("csv_files:IonToCsv", "csv.IonToCsv", "ion_to_csv", old="CsvWriter"),
    **_serdes("json_files:JsonToIon", "json.JsonToIon", "json_to_ion", old="JsonReader"),
    **_serdes("json_files:IonToJson", "json.IonToJson", "ion_to_json", old="JsonWriter"),
    **_serdes("json_files:JsonToJsonl", "json.JsonToJsonl", "json_to_jsonl"),
    **_serdes("yaml_files:YamlToIon", "yaml.YamlToIon", "yaml_to_ion"),
    **_serdes("yaml_files:IonToYaml", "yaml.IonToYaml", "ion_to_yaml"),
    **_serdes("yaml_files:YamlToJson", "yaml.YamlToJson", "yaml_to_json"),
    **_serdes("yaml_files:JsonToYaml", "yaml.JsonToYaml", "json_to_yaml"),
    **_serdes("excel:ExcelToIon", "excel.ExcelToIon", "excel_to_ion"),
    **_serdes("excel:IonToExcel", "excel.IonToExcel", "ion_to_excel"),
    **_serdes("parquet:ParquetToIon", "parquet.ParquetToIon", "parquet_to_ion", old="ParquetReader"),
    **_serdes("parquet:IonToParquet", "parquet.IonToParquet", "ion_to_parquet", old="ParquetWriter"),
    **_serdes("avro:AvroToIon", "avro.AvroToIon", "avro_to_ion", old="AvroReader"),
    **_serdes("avro:IonToAvro", "avro.IonToAvro", "ion_to_avro", old="AvroWriter"),
    **_serdes("avro:InferAvroSchemaFromIon", "avro.InferAvroSchemaFromIon", "infer_avro_schema"),
    **_serdes("xml_files:XmlToIon", "xml.XmlToIon", "xml_to_ion", old="XmlReader"),
    **_serdes("xml_files:IonToXml", "xml.IonToXml", "ion_to_xml", old="XmlWriter"),
    **_serdes("markdown:MarkdownToHtml", "markdown.MarkdownToHtml", "markdown_to_html"),
    **_serdes("markdown:MarkdownToText", "markdown.MarkdownToText", "markdown_to_text"),
    **_names("nbflow.tasks.compress.files:FileCompress", "io.kestra.plugin.compress.FileCompress", "compress"),
    **_names("nbflow.tasks.compress.files:FileDecompress", "io.kestra.plugin.compress.FileDecompress", "decompress"),
    **_names("nbflow.tasks.compress.archives:ArchiveCompress", "io.kestra.plugin.compress.ArchiveCompress", "archive"),
    **_names(
        "nbflow.tasks.compress.archives:ArchiveDecompress", "io.kestra.plugin.compress.ArchiveDecompress", "unarchive"
    ),
}

_TRIGGERS: dict[str, str] = {
    **_names(
        "nbflow.triggers.schedule:Schedule",
        f"{_CORE}.trigger.Schedule",
        "schedule",
        "io.kestra.core.models.triggers.types.Schedule",
    ),
    **_names("nbflow.triggers.schedule:ScheduleOnDates", f"{_CORE}.trigger.ScheduleOnDates", "schedule_on_dates"),
    **_names(
        "nbflow.triggers.webhook:Webhook",
        f"{_CORE}.trigger.Webhook",
        "webhook",
        "io.kestra.core.models.triggers.types.Webhook",
    ),
    **_names("nbflow.triggers.flow:Flow", f"{_CORE}.trigger.Flow", "flow", "io.kestra.core.models.triggers.types.Flow"),
    **_names("nbflow.tasks.sql.triggers:AnyTrigger", "io.kestra.plugin.jdbc.Trigger", "sql_trigger"),
    **_jdbc_triggers("AnyTrigger", "sql", "as400 clickhouse db2 dremio druid hana oracle pinot redshift sqlserver"),
    **_jdbc_triggers("AnyTrigger", "sql", "trino vertica"),
    **_jdbc_triggers("PostgresTrigger", "postgres", "postgresql"),
    **_jdbc_triggers("MySqlTrigger", "mysql", "mysql mariadb"),
    **_jdbc_triggers("SnowflakeTrigger", "snowflake", "snowflake"),
    **_jdbc_triggers("SqliteTrigger", "sqlite", "sqlite"),
    **_jdbc_triggers("DuckDbTrigger", "duckdb", "duckdb"),
    **_names("nbflow.tasks.kafka.triggers:KafkaTrigger", "io.kestra.plugin.kafka.Trigger", "kafka_trigger"),
    **_names(
        "nbflow.tasks.kafka.triggers:KafkaRealtimeTrigger",
        "io.kestra.plugin.kafka.RealtimeTrigger",
        "kafka_realtime_trigger",
    ),
}

_CONDITIONS: dict[str, str] = {
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
    **_names(
        "nbflow.triggers.conditions.logic:Expression",
        "expression",
        "io.kestra.core.models.conditions.types.VariableCondition",
    ),
    **_condition("logic", "Not"),
    **_condition("logic", "Or"),
    **_names(
        "nbflow.triggers.conditions.flows:FlowCondition",
        f"{_CORE}.condition.FlowCondition",
        "io.kestra.core.models.conditions.types.FlowCondition",
    ),
    **_names(
        "nbflow.triggers.conditions.flows:FlowNamespaceCondition",
        f"{_CORE}.condition.FlowNamespaceCondition",
        "io.kestra.core.models.conditions.types.FlowNamespaceCondition",
    ),
    **_names(
        "nbflow.triggers.conditions.multiple:MultipleCondition",
        f"{_CORE}.condition.MultipleCondition",
        "io.kestra.core.models.conditions.types.MultipleCondition",
    ),
}

_RUNNERS: dict[str, str] = {
    **_names(
        "nbflow.runners.process:Process",
        f"{_CORE}.runner.Process",
        "process",
        f"{_SCRIPTS}.runner.process.Process",
        "io.kestra.core.models.tasks.runners.types.Process",
    ),
    **_names(
        "nbflow.runners.docker:Docker",
        f"{_SCRIPTS}.runner.docker.Docker",
        "docker",
        f"{_SCRIPTS}.runner.docker.DockerTaskRunner",
    ),
}

CATALOG = Catalog(tasks={**_TASKS, **_FILES}, triggers=_TRIGGERS, conditions=_CONDITIONS, runners=_RUNNERS)

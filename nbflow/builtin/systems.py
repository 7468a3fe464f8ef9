"""The tasks that talk to other systems: clouds, Git, dbt, Kafka, language models, and messages to people."""

from __future__ import annotations

from nbflow.builtin.naming import OLD, named


def _message(target: str, package: str, name: str, *aliases: str, older: str = "") -> dict[str, str]:
    """A task that tells somebody something: it was in `io.kestra.plugin.notifications` before."""
    return named(
        f"nbflow.tasks.messages.{target}:{name}",
        f"io.kestra.plugin.{package}.{name}",
        f"io.kestra.plugin.notifications.{older or package}.{name}",
        *aliases,
    )


_MESSAGES: dict[str, str] = {
    **_message(
        "slack",
        "slack",
        "SlackIncomingWebhook",
        "slack",
        "mattermost",
        "io.kestra.plugin.slack.notifications.SlackIncomingWebhook",
        f"{OLD}.notifications.Slack",
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
    **named("nbflow.tasks.messages.webhook:Webhook", "nbflow.messages.Webhook", "send_webhook"),
    **named("nbflow.tasks.messages.webhook:WebhookExecution", "nbflow.messages.WebhookExecution", "webhook_execution"),
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

SYSTEMS: dict[str, str] = {
    **_CLOUD,
    **_MESSAGES,
    **_GIT,
    **_DBT,
    **named("nbflow.tasks.dbt.cli:DbtCLI", "io.kestra.plugin.dbt.cli.DbtCLI", "dbt"),
}
"""Name → class."""

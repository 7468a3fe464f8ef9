"""Messages over HTTP, sent to a server that records what arrives."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from nbflow.engine import Engine, Execution
from nbflow.tasks.messages.slack import to_mrkdwn
from tests.tasks.conftest import RunTasks, Site, messages

FAILING = """
id: load
namespace: company.team
labels: {team: data}
tasks:
  - {id: fetch, type: log, message: fetched}
  - id: group
    type: sequential
    tasks:
      - {id: store, type: fail, errorMessage: "the disk <!channel> is full"}
"""

SERVICES = [
    "io.kestra.plugin.notifications.slack.SlackIncomingWebhook",
    "io.kestra.plugin.slack.SlackIncomingWebhook",
    "io.kestra.plugin.slack.notifications.SlackIncomingWebhook",
    "io.kestra.plugin.notifications.discord.DiscordIncomingWebhook",
    "io.kestra.plugin.notifications.teams.TeamsIncomingWebhook",
    "io.kestra.plugin.notifications.google.GoogleChatIncomingWebhook",
    "io.kestra.plugin.notifications.zulip.ZulipIncomingWebhook",
    "io.kestra.plugin.notifications.squadcast.SquadcastIncomingWebhook",
    "io.kestra.plugin.notifications.whatsapp.WhatsAppIncomingWebhook",
    "io.kestra.plugin.notifications.pagerduty.PagerDutyAlert",
    "io.kestra.plugin.notifications.opsgenie.OpsgenieAlert",
    "io.kestra.plugin.notifications.zenduty.ZendutyAlert",
    "nbflow.messages.Webhook",
]


@pytest.fixture
def failed(engine: Engine) -> Execution:
    engine.deploy(FAILING)
    return engine.run("company.team", "load", wait=True, timeout=60)


def sent(site: Site) -> Any:
    """What arrived, as JSON."""
    assert len(site.asked) == 1, site.asked
    method, _, headers, body = site.asked[0]
    assert method == "POST"
    assert headers["Content-Type"] == "application/json"
    return json.loads(body)


@pytest.mark.parametrize("name", SERVICES)
def test_a_payload_arrives_as_it_is_written(run_tasks: RunTasks, site: Site, name: str) -> None:
    execution = run_tasks(f"""
        - id: tell
          type: {name}
          url: {site.answer("/hook", b"ok")}
          payload: |
            {{
              "text": "Hello from {{{{ flow.id }}}} – ü",
              "n": {{"m": [1]}}
            }}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert sent(site) == {"text": "Hello from flow – ü", "n": {"m": [1]}}


def test_a_payload_may_be_a_map_with_any_text_in_it(run_tasks: RunTasks, site: Site) -> None:
    run_tasks(
        f"""
        - id: tell
          type: slack
          url: {site.answer("/hook", b"ok")}
          payload: {{blocks: [{{type: section, text: "{{{{ inputs.said }}}}"}}]}}
          options: {{headers: {{X-From: nbflow}}}}
        """,
        more="inputs: [{id: said, type: STRING}]",
        said='she said "no"\n',
    )
    assert sent(site) == {"blocks": [{"type": "section", "text": 'she said "no"\n'}]}
    assert site.asked[0][2]["X-From"] == "nbflow"


def test_the_oldest_spelling_of_slack_sends_its_message(run_tasks: RunTasks, site: Site) -> None:
    run_tasks(f"""
        - id: task-2
          type: io.kestra.core.tasks.notifications.Slack
          url: {site.answer("/hook", b"ok")}
          message: "Task **completed**!"
    """)
    assert sent(site) == {"text": "Task *completed*!"}


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**a** and __b__", "*a* and _b_"),
        ("see [the docs](https://x.y/z)", "see <https://x.y/z|the docs>"),
        ("2 * 3 * 4", "2 * 3 * 4"),
    ],
)
def test_markdown_is_written_as_slack_writes_it(markdown: str, expected: str) -> None:
    assert to_mrkdwn(markdown) == expected


def test_a_payload_that_is_no_json_fails_with_a_hint(run_tasks: RunTasks, site: Site) -> None:
    execution = run_tasks(f"""
        - id: tell
          type: discord
          url: {site.url}
          payload: |
            {{"content": "{{{{ 'say "hi"' }}}}"}}
    """)
    assert execution.state == "FAILED"
    assert "`payload` is text that is no JSON" in messages(execution)[-1]
    assert "toJson" in messages(execution)[-1]
    assert site.asked == []


def test_an_answer_that_refuses_fails_the_task_without_telling_the_address(run_tasks: RunTasks, site: Site) -> None:
    url = site.answer("/services/T0/secret", b"no_service", code=404)
    execution = run_tasks(f"- {{id: tell, type: slack, url: {url}, messageText: hi}}")
    assert execution.state == "FAILED"
    said = messages(execution)[-1]
    assert said == f"Slack: POST {site.url}/… answered 404 Not Found: no_service"


def test_a_slack_task_must_say_something(engine: Engine) -> None:
    problems = engine.validate("id: a\nnamespace: b\ntasks: [{id: tell, type: slack, url: 'http://x'}]")
    assert any("needs `payload` or `messageText`" in problem.message for problem in problems)


def test_a_summary_for_slack_names_what_failed_and_why(run_tasks: RunTasks, site: Site, failed: Execution) -> None:
    execution = run_tasks(f"""
        - id: alert
          type: io.kestra.plugin.notifications.slack.SlackExecution
          url: {site.answer("/hook", b"ok")}
          executionId: {failed.id}
          channel: "#errors"
          username: bot
          iconUrl: https://x.y/z.png
          customMessage: "Have a *look*"
          customFields: {{team: data, size: 3}}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    body = sent(site)
    assert (body["channel"], body["username"], body["icon_url"]) == ("#errors", "bot", "https://x.y/z.png")
    assert body["text"].startswith("*[company.team] load ➛ FAILED*\n> Failed on task `store` after ")
    texts = [block["text"]["text"] for block in body["blocks"]]
    assert texts[0] == "Have a *look*"
    assert texts[-1] == "```the disk &lt;!channel&gt; is full```"
    (attachment,) = body["attachments"]
    assert attachment["color"] == "danger"
    fields = {field["title"]: field["value"] for field in attachment["fields"]}
    assert fields == {
        "Namespace": "company.team",
        "Flow ID": "load",
        "Execution ID": failed.id,
        "Execution Status": "FAILED",
        "team": "data",
        "size": "3",
        "Final task ID": "store",
    }


def test_a_summary_links_to_the_address_of_the_settings(
    run_tasks: RunTasks, engine: Engine, site: Site, failed: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(engine.settings, "url", "https://flows.example.com/")
    run_tasks(f"- {{id: alert, type: slack_execution, url: {site.answer('/hook', b'ok')}, executionId: {failed.id}}}")
    link = f"https://flows.example.com/ui/executions/company.team/load/{failed.id}"
    body = sent(site)
    assert f"<{link}|[company.team] load ➛ FAILED>" in body["text"]
    assert body["blocks"][0]["accessory"]["url"] == link


def test_in_errors_the_running_execution_is_told_of_as_failed(engine: Engine, site: Site) -> None:
    engine.deploy(f"""
id: f
namespace: tests
tasks:
  - {{id: bad, type: fail, errorMessage: no more}}
errors:
  - {{id: alert, type: slack_execution, url: {site.answer("/hook", b"ok")}}}
""")
    engine.run("tests", "f", wait=True, timeout=60)
    body = sent(site)
    assert body["text"].startswith("*[tests] f ➛ FAILED*")
    assert "Failed on task `bad`" in body["text"]
    assert body["blocks"][-1]["text"]["text"] == "```no more```"


def test_an_execution_that_is_not_there_is_said(run_tasks: RunTasks, site: Site) -> None:
    execution = run_tasks(f"""
        - {{id: alert, type: google_chat_execution, url: {site.url}, executionId: none}}
    """)
    assert execution.state == "FAILED"
    assert "there is no execution none" in messages(execution)[-1]
    assert "trigger.executionId" in messages(execution)[-1]


def summary(run_tasks: RunTasks, site: Site, failed: Execution, name: str, more: str = "") -> Any:
    """What a service is sent about the execution that failed."""
    execution = run_tasks(f"""
        - id: alert
          type: {name}
          url: {site.answer("/hook", b"{}")}
          executionId: {failed.id}
          customMessage: look
          {more}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    return sent(site)


def test_a_summary_for_discord_calls_nobody(run_tasks: RunTasks, site: Site, failed: Execution) -> None:
    body = summary(
        run_tasks, site, failed, "discord_execution", "embedList: [{title: T, color: [1, 2, 3], footer: below}]"
    )
    first, last = body["embeds"]
    assert first == {"title": "T", "color": 0x010203, "footer": {"text": "below"}}
    assert last["title"] == "[company.team] load ➛ FAILED"
    assert "```the disk <!channel> is full```" in last["description"]
    assert last["footer"]["text"].startswith("Failed on task `store` after")
    assert body["content"] == "look"
    assert body["allowed_mentions"] == {"parse": []}


def test_a_summary_for_teams_is_a_card(run_tasks: RunTasks, site: Site, failed: Execution) -> None:
    body = summary(run_tasks, site, failed, "teams_execution", "themeColor: FF0000")
    (section,) = body["sections"]
    assert (body["@type"], body["themeColor"], section["text"]) == ("MessageCard", "FF0000", "look")
    assert {"name": "Final task ID", "value": "store"} in section["facts"]
    assert {"name": "Error", "value": "the disk <!channel> is full"} in section["facts"]


def test_a_summary_for_pagerduty_is_an_event(run_tasks: RunTasks, site: Site, failed: Execution) -> None:
    body = summary(run_tasks, site, failed, "pagerduty_execution", "routingKey: R")
    assert (body["routing_key"], body["event_action"]) == ("R", "trigger")
    assert body["payload"]["severity"] == "error"
    assert body["payload"]["summary"] == "look"
    assert body["payload"]["custom_details"]["Error"] == "the disk <!channel> is full"


def test_a_summary_for_opsgenie_is_an_alert(run_tasks: RunTasks, site: Site, failed: Execution) -> None:
    more = (
        "authorizationToken: GenieKey k\n          responders: {u1: user}\n          tags: [a]\n          priority: P1"
    )
    body = summary(run_tasks, site, failed, "opsgenie_execution", more)
    assert site.asked[0][2]["Authorization"] == "GenieKey k"
    assert body["responders"] == [{"id": "u1", "type": "user"}]
    assert (body["tags"], body["priority"]) == (["a"], "P1")
    assert body["message"] == "[company.team] load ➛ FAILED"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("google_chat_execution", "text"),
        ("squadcast_execution", "description"),
        ("zenduty_execution", "summary"),
        ("zulip_execution", "text"),
    ],
)
def test_other_services_get_the_summary_as_text(
    run_tasks: RunTasks, site: Site, failed: Execution, name: str, key: str
) -> None:
    body = summary(run_tasks, site, failed, name)
    assert "[company.team] load ➛ FAILED" in body[key]
    assert "Failed on task `store` after" in body[key]


def test_any_webhook_can_be_sent_all_there_is_to_say(run_tasks: RunTasks, site: Site, failed: Execution) -> None:
    body = summary(run_tasks, site, failed, "webhook_execution", "customFields: {a: {b: 1}}")
    assert (body["state"], body["failedTask"]) == ("FAILED", "store")
    assert body["customFields"] == {"a": '{"b": 1}'}
    assert {"key": "team", "value": "data"} in body["execution"]["labels"]
    assert [run["taskId"] for run in body["execution"]["taskRunList"]] == ["fetch", "group", "store"]


def test_telegram_is_written_to_as_a_bot(run_tasks: RunTasks, site: Site) -> None:
    site.answer("/botT0KEN/sendMessage", {"ok": True})
    execution = run_tasks(f"""
        - id: tell
          type: io.kestra.plugin.notifications.telegram.TelegramSend
          token: T0KEN
          channel: "@team"
          payload: hi {{{{ flow.id }}}}
          parseMode: MARKDOWNV2
          endpointOverride: {site.url}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert sent(site) == {"chat_id": "@team", "text": "hi flow", "parse_mode": "MarkdownV2"}


def test_a_message_that_telegram_does_not_take_fails_the_task(run_tasks: RunTasks, site: Site) -> None:
    site.answer("/botT0KEN/sendMessage", {"ok": False, "description": "chat not found"})
    execution = run_tasks(f"""
        - {{id: tell, type: telegram, token: T0KEN, channel: x, payload: hi, endpointOverride: "{site.url}"}}
    """)
    assert execution.state == "FAILED"
    assert "chat not found" in messages(execution)[-1]
    assert not any("T0KEN" in message for message in messages(execution))


def test_twilio_gets_a_form_and_a_login(run_tasks: RunTasks, site: Site) -> None:
    execution = run_tasks(f"""
        - id: tell
          type: io.kestra.plugin.notifications.twilio.TwilioAlert
          url: {site.answer("/notify", b"{}")}
          accountSID: AC1
          authToken: token
          payload: '{{"Identity": "0000001", "Body": "hi & bye"}}'
    """)
    assert execution.state == "SUCCESS", messages(execution)
    _, _, headers, body = site.asked[0]
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"AC1:token"
    assert parse_qs(body.decode()) == {"Identity": ["0000001"], "Body": ["hi & bye"]}


def test_sentry_gets_an_envelope_at_the_address_of_its_dsn(run_tasks: RunTasks, site: Site, failed: Execution) -> None:
    site.answer("/api/42/envelope/", b"{}")
    dsn = site.url.replace("http://", "http://key@") + "/42"
    execution = run_tasks(f"- {{id: tell, type: sentry_execution, dsn: '{dsn}', executionId: {failed.id}}}")
    assert execution.state == "SUCCESS", messages(execution)
    _, path, _, body = site.asked[0]
    assert "sentry_key=key" in path
    head, item, event = (json.loads(line) for line in body.decode().splitlines())
    assert event["event_id"] == head["event_id"]
    assert item["length"] == len(body.splitlines()[2])
    assert event["level"] == "error"
    assert event["extra"]["Error"] == "the disk <!channel> is full"


@pytest.mark.parametrize("name", ["whatsapp_execution", "line_execution", "messenger_execution"])
def test_messengers_of_people_get_the_summary(run_tasks: RunTasks, site: Site, failed: Execution, name: str) -> None:
    more = {
        "whatsapp_execution": "profileName: me\n          whatsAppIds: [a]\n          from: 38099",
        "line_execution": "channelAccessToken: t",
        "messenger_execution": "pageId: p\n          accessToken: t\n          recipientIds: [r]",
    }[name]
    body = summary(run_tasks, site, failed, name, more)
    assert "[company.team] load ➛ FAILED" in json.dumps(body, ensure_ascii=False)
    if name == "line_execution":
        assert site.asked[0][2]["Authorization"] == "Bearer t"
    if name == "whatsapp_execution":
        assert body["contacts"] == [{"profile": {"name": "me"}, "wa_id": "a"}]
        assert body["messages"][0]["from"] == "38099"
    if name == "messenger_execution":
        assert body["recipient"] == {"id": "r"}

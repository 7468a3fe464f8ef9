"""Views in a real kernel: live while a flow runs, static once it has ended, and never in the user's way."""

from __future__ import annotations

import time
from typing import Any

from tests.widgets.kernels import Kernel, Message

WIDGET = "application/vnd.jupyter.widget-view+json"

SLOW = """id: slow
namespace: tests
tasks:
  - {id: wait, type: io.kestra.plugin.core.flow.Sleep, duration: PT30S}
"""

SHORT = """id: short
namespace: tests
tasks:
  - {id: hello, type: log, message: "hello there"}
  - {id: wait, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.4S}
  - {id: bye, type: return, format: "bye"}
"""

BUSY = """id: busy
namespace: tests
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    concurrencyLimit: 4
    values: "{{ range(1, 200) }}"
    tasks:
      - {id: wait, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.03S}
      - {id: say, type: log, message: "round {{ taskrun.value }}"}
"""


def is_final(message: Message) -> bool:
    return message["header"]["msg_type"] == "update_display_data" and WIDGET not in message["content"]["data"]


def shown(message: Message) -> dict[str, Any]:
    return dict(message["content"]["data"])


def state_sent(message: Message) -> dict[str, Any]:
    """The whole state of a view that a message brings; empty for any other message."""
    found = message["content"].get("data", {}).get("state", {}).get("state", {})
    return dict(found) if message["header"]["msg_type"] in ("comm_open", "comm_msg") else {}


def test_a_run_shows_a_widget_and_ends_as_html_in_the_same_place(kernel: Kernel) -> None:
    reply = kernel.run(f"%%flow --run\n{SHORT}")
    live = [content for content in reply.of("display_data") if WIDGET in content["data"]]
    assert len(live) == 1
    assert "short" in live[0]["data"]["text/html"]
    assert "tests.short" in live[0]["data"]["text/plain"]
    end = kernel.read_until(is_final)
    assert end["content"]["transient"]["display_id"] == live[0]["transient"]["display_id"]
    assert "SUCCESS" in shown(end)["text/html"]
    assert "hello there" in shown(end)["text/html"]
    assert "<svg" in shown(end)["text/html"]


def test_the_end_is_shown_also_while_another_cell_runs(kernel: Kernel) -> None:
    kernel.run(f"%%flow --run\n{SHORT}")
    busy = kernel.start("import time\nwhile True: time.sleep(0.05)")
    end = kernel.read_until(is_final)
    assert "SUCCESS" in shown(end)["text/html"]
    kernel.manager.interrupt_kernel()
    assert kernel.finish(busy).status == "error"


def test_a_blocked_cell_shows_the_flow_live_and_returns_its_handle(kernel: Kernel) -> None:
    reply = kernel.run(f"%%flow --wait\n{SHORT}")
    assert reply.status == "ok"
    assert [content for content in reply.of("update_display_data") if "SUCCESS" in content["data"]["text/html"]]
    assert reply.of("execute_result") == []
    assert reply.of("stream") == []
    assert "('SUCCESS', 'bye')" in kernel.run("ex = _\nstr(ex.state), ex['bye'].outputs['value']").text


def test_interrupting_a_blocked_cell_kills_the_execution(kernel: Kernel) -> None:
    request = kernel.start(f"%%flow --wait --to ex\n{SLOW}")
    kernel.read_until(lambda message: message["header"]["msg_type"] == "comm_open")
    kernel.read_until(lambda message: message["header"]["msg_type"] == "display_data" and WIDGET in shown(message))
    kernel.manager.interrupt_kernel()
    begun = time.monotonic()
    reply = kernel.finish(request)
    assert time.monotonic() - begun < 5
    assert reply.status == "error"
    assert "was killed" in reply.error
    error = reply.of("error")[0]
    assert len(error["traceback"]) == 1
    assert "KILLED" in kernel.run("str(ex.state), [str(run.state) for run in ex.task_runs]").text


def test_the_kernel_answers_at_once_while_a_flow_runs(kernel: Kernel) -> None:
    kernel.run(f"%%flow --run\n{BUSY}")
    kernel.run("1 + 1")
    taken = []
    for _ in range(5):
        begun = time.monotonic()
        assert "2" in kernel.run("1 + 1").text
        taken.append(time.monotonic() - begun)
    assert sorted(taken)[2] < 0.1


def test_at_most_ten_updates_a_second_are_sent(kernel: Kernel) -> None:
    kernel.run(f"%%flow --run\n{BUSY}")
    kernel.read_until(is_final)
    # When they were sent, by the kernel's own clock: on a busy machine they arrive in bunches.
    headers = [message["header"] for _, message in kernel.seen]
    sent = [header["date"].timestamp() for header in headers if header["msg_type"] == "comm_msg"]
    assert len(sent) > 5
    busiest = max(sum(1 for other in sent if when <= other < when + 1) for when in sent)
    assert busiest <= 10


def test_what_the_widget_was_sent_adds_up_to_all_task_runs(kernel: Kernel) -> None:
    kernel.run(f"%%flow --run\n{BUSY}")
    kernel.read_until(is_final)
    rows: dict[str, Any] = {}
    lines: set[int] = set()
    for _, message in kernel.seen:
        content = message["content"]
        if message["header"]["msg_type"] not in ("comm_open", "comm_msg"):
            continue
        data = content["data"]
        parts = [data.get("content", {}), data.get("state", {}).get("state", {})]
        for part in parts:
            rows.update({row[0]: row for row in part.get("rows", [])})
            lines.update(line[0] for line in part.get("logs", []))
    assert len(rows) >= 350
    assert len(lines) >= 150


def test_a_page_that_was_still_loading_is_sent_everything_once_nothing_happens(kernel: Kernel) -> None:
    def is_whole(message: Message) -> bool:
        return bool(state_sent(message).get("header", {}).get("state") == "PAUSED")

    reply = kernel.run("%%flow --run\nid: waits\nnamespace: tests\ntasks:\n  - {id: wait, type: pause}\n")
    # On a busy machine it pauses before the cell has ended.
    whole = next(filter(is_whole, reply.messages), None) or kernel.read_until(is_whole)
    assert [row[3] for row in state_sent(whole)["rows"]] == ["PAUSED"]
    kernel.run("%flow kill")


def test_the_kill_button_ends_the_execution(kernel: Kernel) -> None:
    reply = kernel.run(f"%%flow --run --to ex\n{SLOW}")
    model = next(
        content["data"][WIDGET]["model_id"] for content in reply.of("display_data") if WIDGET in content["data"]
    )
    message = kernel.client.session.msg(
        "comm_msg", {"comm_id": model, "data": {"method": "custom", "content": {"kind": "kill"}}}
    )
    kernel.client.shell_channel.send(message)
    end = kernel.read_until(is_final)
    assert "KILLED" in shown(end)["text/plain"]


def test_the_handle_shows_itself_once_as_the_value_of_a_cell(kernel: Kernel) -> None:
    kernel.run(f"%%flow --wait --to ex\n{SHORT}")
    reply = kernel.run("ex")
    assert len(reply.of("display_data")) == 1
    assert reply.of("execute_result") == []
    assert "SUCCESS" in reply.of("display_data")[0]["data"]["text/html"]
    assert WIDGET not in reply.of("display_data")[0]["data"]


def test_a_flow_cell_shows_the_flow_and_its_run_button_works(kernel: Kernel) -> None:
    reply = kernel.run(f"%%flow --to ex\n{SHORT}")
    assert "<svg" in reply.of("display_data")[0]["data"]["text/html"]
    slot = reply.of("display_data")[-1]["transient"]["display_id"]
    button = next(
        content["comm_id"]
        for content in reply.of("comm_open")
        if content["data"]["state"].get("_model_name") == "ButtonModel"
    )
    message = kernel.client.session.msg(
        "comm_msg", {"comm_id": button, "data": {"method": "custom", "content": {"event": "click"}}}
    )
    kernel.client.shell_channel.send(message)
    end = kernel.read_until(is_final)
    assert end["content"]["transient"]["display_id"] == slot
    assert "SUCCESS" in shown(end)["text/html"]
    assert "SUCCESS" in kernel.run("str(ex.state)").text


def test_nothing_is_printed_by_threads(kernel: Kernel) -> None:
    kernel.run(f"%%flow --run\n{SHORT}")
    kernel.read_until(is_final)
    assert [message for _, message in kernel.seen if message["header"]["msg_type"] == "stream"] == []


def test_problems_stand_at_their_lines_of_the_editor_also_below_blank_lines(kernel: Kernel) -> None:
    reply = kernel.run("\n\n%%flow\nid: x\nnamespace: tests\ntasks: 3\n")
    assert reply.status == "error"
    assert "cell:6:8" in reply.text


def test_a_flow_as_a_value_shows_its_topology(kernel: Kernel) -> None:
    kernel.run(f"%%flow\n{SHORT}")
    reply = kernel.run("import nbflow\nnbflow.Engine.default().flow('tests', 'short')")
    assert "nbflow-topology" in reply.of("execute_result")[0]["data"]["text/html"]

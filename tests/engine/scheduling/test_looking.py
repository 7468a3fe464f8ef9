"""Triggers that look now and then, and triggers that listen."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.engine.scheduling.service import TimeService
from nbflow.plugins import Found, JsonValue, PollingTrigger, RealtimeTrigger, RunContext, Text, Trigger, trigger_type
from nbflow.testing import FakeClock, eventually
from tests.engine.scheduling.conftest import WITHIN, ended, scheduled, settles

LOCAL = "type: io.kestra.plugin.fs.local.Trigger\ninterval: PT1M\n"
SAY = '- {id: say, type: return, format: "{{ trigger.files[0].name }} {{ read(trigger.files[0].path) }}"}'


def looks(engine: Engine, clock: FakeClock) -> None:
    """Let the polling trigger look once more, and wait until it has."""
    before = engine.trigger("tests", "job", "s").state.evaluated
    clock.advance(timedelta(minutes=1))
    eventually(lambda: engine.trigger("tests", "job", "s").state.evaluated != before, within=WITHIN)
    settles(engine)


def said(engine: Engine, number: int) -> list[object]:
    return [one.task_runs["say"].outputs["value"] for one in ended(engine, number)]


def test_files_that_are_moved_away_start_the_flow_once(engine: Engine, clock: FakeClock, tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    inbox.mkdir()
    (inbox / "a.csv").write_text("first")
    (inbox / "b.txt").write_text("no")
    move = f'from: {inbox}\nregExp: ".*[.]csv"\naction: MOVE\nmoveDirectory: {tmp_path / "done"}\n'
    engine.deploy(scheduled(LOCAL + move, tasks=SAY))
    assert said(engine, 1) == ["a.csv first"]
    assert (tmp_path / "done" / "a.csv").read_text() == "first"
    assert [path.name for path in inbox.iterdir()] == ["b.txt"]
    settles(engine)
    looks(engine, clock)
    (inbox / "c.csv").write_text("second")
    looks(engine, clock)
    assert said(engine, 2) == ["a.csv first", "c.csv second"]


def test_files_that_stay_start_the_flow_when_they_are_new_or_changed(
    engine: Engine, clock: FakeClock, tmp_path: Path
) -> None:
    inbox = tmp_path / "in"
    inbox.mkdir()
    (inbox / "a.csv").write_text("first")
    engine.deploy(scheduled(f"{LOCAL}from: {inbox}\n", tasks=SAY))
    ended(engine, 1)
    settles(engine)
    looks(engine, clock)
    (inbox / "a.csv").write_text("changed")
    looks(engine, clock)
    assert said(engine, 2) == ["a.csv first", "a.csv changed"]


def test_a_look_that_fails_is_told_and_tried_again(engine: Engine, clock: FakeClock, tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    engine.deploy(scheduled(f"{LOCAL}from: {inbox}\n", tasks=SAY))
    eventually(lambda: engine.trigger("tests", "job", "s").state.error, within=WITHIN)
    assert str(inbox) in str(engine.trigger("tests", "job", "s").to_dict()["error"])
    inbox.mkdir()
    (inbox / "a.csv").write_text("late")
    looks(engine, clock)
    assert said(engine, 1) == ["a.csv late"]
    assert engine.trigger("tests", "job", "s").state.error is None


class _Price(BaseHTTPRequestHandler):
    price = 120

    def do_GET(self) -> None:
        body = b'{"price": %d}' % self.price
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def shop() -> Iterator[str]:
    """The address of a shop with a price."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Price)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/product"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("name", ["io.kestra.plugin.core.http.Trigger", "io.kestra.plugin.fs.http.Trigger"])
def test_an_answer_starts_the_flow_once_it_is_as_wished(
    engine: Engine, clock: FakeClock, shop: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    condition = 'responseCondition: "{{ json(response.body).price <= 110 and response.statusCode == 200 }}"'
    say = '- {id: say, type: return, format: "{{ json(trigger.body).price }} {{ trigger.code }}"}'
    engine.deploy(scheduled(f"type: {name}\nuri: {shop}\ninterval: PT1M\n{condition}\nstopAfter: [SUCCESS]", tasks=say))
    looks(engine, clock)
    assert not engine.executions("tests", "job")
    monkeypatch.setattr(_Price, "price", 99)
    looks(engine, clock)
    assert said(engine, 1) == ["99 200"]
    eventually(lambda: engine.trigger("tests", "job", "s").is_disabled, within=WITHIN)


FEED: asyncio.Queue[str]
SEEN: list[str] = []


@trigger_type("tests.scheduling.Feed")
class Feed(RealtimeTrigger):
    """Start the flow for every word."""

    class Output(Trigger.Output):
        word: Text

    async def stream(self, ctx: RunContext) -> AsyncIterator[Trigger.Output]:
        SEEN.append("listens")
        while True:
            word = await FEED.get()
            if word == "break":
                raise ConnectionError("it broke")
            yield self.Output(word=word)
            SEEN.append(word)


def test_a_realtime_trigger_starts_the_flow_for_all_that_comes_and_listens_again_after_a_failure(
    engine: Engine, clock: FakeClock
) -> None:
    global FEED
    FEED = asyncio.Queue()
    SEEN.clear()
    engine.deploy(
        scheduled("type: tests.scheduling.Feed", tasks='- {id: say, type: return, format: "{{ trigger.word }}"}')
    )
    eventually(lambda: SEEN == ["listens"], within=WITHIN)
    for word in ("one", "two", "break"):
        engine.loop.call_soon(partial(FEED.put_nowait, word))
    eventually(lambda: engine.trigger("tests", "job", "s").state.error == "it broke", within=WITHIN)
    assert SEEN == ["listens", "one", "two"]
    eventually(lambda: clock.sleepers > 0, within=WITHIN)
    clock.advance(timedelta(seconds=1))
    eventually(lambda: SEEN[3:] == ["listens"], within=WITHIN)
    engine.loop.call_soon(lambda: FEED.put_nowait("three"))
    assert sorted(str(word) for word in said(engine, 3)) == ["one", "three", "two"]
    engine.set_trigger("tests", "job", "s", disabled=True)
    time = engine._time
    assert isinstance(time, TimeService)
    eventually(lambda: not time.scheduler._looking._listeners, within=WITHIN)


BOX: list[str] = []
CALLS: list[str] = []


@trigger_type("tests.scheduling.Box")
class Box(PollingTrigger):
    """Start the flow for the first thing in a box; `seen` takes it out."""

    class Output(Trigger.Output):
        thing: Text

    async def look(self, ctx: RunContext) -> Found | None:
        CALLS.append("look")
        return Found(self.Output(thing=BOX[0]), {"thing": BOX[0]}) if BOX else None

    async def seen(self, ctx: RunContext, receipt: JsonValue) -> None:
        CALLS.append(f"seen {receipt}")
        if BOX[0] == "stuck":
            raise ConnectionError("it is stuck")
        BOX.pop(0)


def test_what_was_found_is_marked_as_seen_once_its_execution_is_there_however_often_that_fails(
    engine: Engine, clock: FakeClock
) -> None:
    BOX[:], CALLS[:] = ["stuck", "two"], []
    engine.deploy(
        scheduled(
            "type: tests.scheduling.Box\ninterval: PT1M",
            tasks='- {id: say, type: return, format: "{{ trigger.thing }}"}',
        )
    )
    ended(engine, 1)
    eventually(lambda: engine.trigger("tests", "job", "s").state.error == "it is stuck", within=WITHIN)
    settles(engine)
    looks(engine, clock)
    assert CALLS == ["look", "seen {'thing': 'stuck'}", "seen {'thing': 'stuck'}"]
    BOX[0] = "one"
    looks(engine, clock)
    assert said(engine, 2) == ["stuck", "two"]
    eventually(lambda: engine.trigger("tests", "job", "s").state.data.get("receipt") is None, within=WITHIN)
    assert engine.trigger("tests", "job", "s").state.error is None
    assert BOX == []


def test_what_a_crash_cut_off_is_marked_as_seen_before_the_next_look(tmp_path: Path, clock: FakeClock) -> None:
    """An engine dies after the commit of an execution and its receipt; another goes on there."""
    BOX[:], CALLS[:] = ["one", "two"], []
    with Engine(tmp_path / "home", clock=clock) as first:
        first.deploy(
            scheduled(
                "type: tests.scheduling.Box\ninterval: PT1M",
                tasks='- {id: say, type: return, format: "{{ trigger.thing }}"}',
            )
        )
        state = first.trigger("tests", "job", "s").state
        first.store.triggers.save(replace(state, data={**state.data, "receipt": {"thing": "one"}}))
    with Engine(tmp_path / "home", clock=clock, scheduler=True) as second:
        assert said(second, 1) == ["two"]
        eventually(lambda: len(CALLS) == 3, within=WITHIN)
        assert CALLS == ["seen {'thing': 'one'}", "look", "seen {'thing': 'two'}"]

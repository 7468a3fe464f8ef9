"""Painters: they follow executions of this process and of others, and end with them."""

from __future__ import annotations

from pathlib import Path

from nbflow.engine import Engine
from nbflow.model.state import State
from nbflow.testing import eventually
from nbflow.widgets.charts import durations_figure
from nbflow.widgets.colours import STATE_COLOURS
from nbflow.widgets.painter import Painter
from nbflow.widgets.snapshot import Changes, Snapshot

FLOW = """id: flow
namespace: tests
tasks:
  - {id: hello, type: log, message: "hello"}
  - {id: wait, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.3S}
  - {id: bye, type: log, message: "bye"}
afterExecution:
  - {id: afterwards, type: log, message: "it ended as {{ execution.state }}"}
"""

SLOW = "id: slow\nnamespace: tests\ntasks:\n  - {id: wait, type: io.kestra.plugin.core.flow.Sleep, duration: PT30S}\n"


class Recorder:
    """A view that writes down what it was asked to show."""

    def __init__(self) -> None:
        self.painted: list[Changes] = []
        self.finished: list[State] = []
        self.messages: list[str] = []

    def paint(self, snapshot: Snapshot, changes: Changes) -> None:
        self.painted.append(changes)

    def rest(self, snapshot: Snapshot) -> None:
        """It has missed nothing."""

    def finish(self, snapshot: Snapshot) -> None:
        self.finished.append(snapshot.execution.state)
        self.messages = [entry.message for entry in snapshot.entries]


def test_a_painter_shows_changes_and_then_the_end(engine: Engine) -> None:
    engine.deploy(FLOW)
    execution = engine.run("tests", "flow")
    view = Recorder()
    painter = Painter(engine, Snapshot(engine, execution.id), view).start()
    assert painter.done.wait(20)
    assert view.painted
    assert view.finished == [State.SUCCESS]


def test_tasks_after_the_execution_belong_to_its_end(engine: Engine) -> None:
    engine.deploy(FLOW)
    view = Recorder()
    execution = engine.run("tests", "flow")
    assert Painter(engine, Snapshot(engine, execution.id), view).start().done.wait(20)
    assert view.messages == ["hello", "bye", "it ended as SUCCESS"]


def test_an_execution_of_another_engine_is_followed_too(engine: Engine, tmp_path: Path) -> None:
    engine.deploy(FLOW)
    execution = engine.run("tests", "flow")
    view = Recorder()
    with Engine(tmp_path / "home", takes_over=False) as onlooker:
        painter = Painter(onlooker, Snapshot(onlooker, execution.id), view).start()
        assert painter.done.wait(20)
    assert view.finished == [State.SUCCESS]
    assert view.messages[:2] == ["hello", "bye"]


def test_the_end_of_an_execution_can_be_asked_for_from_any_thread(engine: Engine) -> None:
    engine.deploy(SLOW)
    execution = engine.run("tests", "slow")
    eventually(lambda: len(execution.task_runs) == 1)
    view = Recorder()
    painter = Painter(engine, Snapshot(engine, execution.id), view).start()
    painter.kill()
    assert painter.done.wait(20)
    assert view.finished == [State.KILLED]


def test_a_stopped_painter_leaves_the_execution_alone(engine: Engine) -> None:
    engine.deploy(SLOW)
    execution = engine.run("tests", "slow")
    painter = Painter(engine, Snapshot(engine, execution.id), Recorder()).start()
    painter.stop()
    assert painter.done.wait(20)
    assert not execution.state.is_terminal
    execution.kill()


def test_a_painter_ends_with_its_engine(tmp_path: Path) -> None:
    view = Recorder()
    with Engine(tmp_path / "closing") as engine:
        engine.deploy(SLOW)
        execution = engine.run("tests", "slow")
        painter = Painter(engine, Snapshot(engine, execution.id), view).start()
        eventually(lambda: view.painted)
    assert painter.done.wait(5)
    assert view.finished == []


def test_a_snapshot_begun_late_has_all_that_happened(engine: Engine) -> None:
    engine.deploy(FLOW)
    execution = engine.run("tests", "flow", wait=True)
    snapshot = Snapshot(engine, execution.id)
    assert snapshot.has_ended
    assert [run.task_id for run in snapshot.task_runs] == ["hello", "wait", "bye", "afterwards"]
    assert snapshot.counts == {State.SUCCESS: 4}
    assert not snapshot.look()


def test_the_chart_has_a_bar_for_each_execution(engine: Engine) -> None:
    engine.deploy(FLOW)
    for _ in range(3):
        engine.run("tests", "flow", wait=True)
    figure = durations_figure("tests.flow", engine.executions("tests", "flow"))
    assert len(figure.data) == 1
    assert len(figure.data[0].y) == 3
    assert all(seconds >= 0.3 for seconds in figure.data[0].y)
    assert figure.data[0].marker.color == STATE_COLOURS[State.SUCCESS]

"""`%flow` about time: triggers, dates to come, simulations, the scheduler, backfills, runs handed to a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.testing import eventually
from tests.magics.conftest import Run

FLOW = """id: daily
namespace: tests.time
inputs: [{id: name, type: STRING, defaults: Ada}]
tasks:
  - id: check
    type: io.kestra.plugin.core.execution.Fail
    condition: "{{ trigger.date is defined and (trigger.date | date('dd')) == '03' }}"
triggers:
  - {id: morning, type: io.kestra.plugin.core.trigger.Schedule, cron: "30 2 * * *", timezone: Europe/Paris}
"""
START = "--start 2026-03-01 --end 2026-03-06"


@pytest.fixture
def deployed(run: Run) -> None:
    assert run(f"%%flow\n{FLOW}").success


@pytest.fixture
def server(home: Path) -> Iterator[Engine]:
    with Engine(home, scheduler=True) as engine:
        eventually(lambda: engine.scheduler_status().is_running)
        yield engine


@pytest.mark.usefixtures("deployed")
def test_triggers_are_listed_and_switched(run: Run) -> None:
    shown = run("%flow triggers").text
    assert "tests.time.daily.morning" in shown
    assert "schedule" in shown
    assert "No scheduler runs on " in shown
    assert run("%flow trigger disable tests.time.daily.morning").text.startswith("tests.time.daily.morning: off")
    assert "off" in run("%flow triggers tests.time.daily").text
    assert "Switched off: morning" in run("%flow next tests.time.daily").text
    assert "fires next at" in run("%flow trigger enable tests.time.daily").text
    refused = run("%flow trigger unlock tests.time.daily.morning")
    assert not refused.success
    assert "is not locked" in refused.text
    assert "did you mean `enable`" in run("%flow trigger enabel x").text
    assert "There are no triggers in other" in run("%flow triggers other").text


@pytest.mark.usefixtures("deployed")
def test_the_next_dates_are_told(run: Run) -> None:
    lines = run("%flow next tests.time.daily -n 3 --from 2026-03-27").text.splitlines()
    assert [line for line in lines if "2026-03-27 01:30:00" in line or "2026-03-28 01:30:00" in line] != []
    assert sum("2026-03" in line for line in lines) == 3
    assert run("%flow next -n 1").success  # the flow of the last %%flow cell


@pytest.mark.usefixtures("deployed")
def test_a_simulation_shows_a_gap_of_the_clock_and_what_was_missed(run: Run) -> None:
    shown = run("%flow simulate tests.time.daily --from 2026-03-27 --days 4").text
    assert "4 missed" in shown
    assert "Sun 2026-03-29 03:00:00 +0200" in shown
    assert "no execution was started for it" in shown
    assert "! Sun 2026-03-29" in shown
    assert not run("%flow simulate tests.time.daily --days soon").success


def test_a_cell_is_simulated_without_being_deployed(run: Run) -> None:
    done = run(f"%%flow --simulate --from 2090-01-01 --days 3\n{FLOW}")
    assert "3 fires" in done.text
    assert Engine.default().flows() == []
    assert "nothing was simulated" in run("%%flow --simulate\nid: x").text


@pytest.mark.usefixtures("deployed")
def test_a_backfill_is_planned_run_and_shown(run: Run) -> None:
    planned = run(f"%flow backfill tests.time.daily {START} --dry-run --order newest")
    assert planned.text.startswith("5 dates, newest first, 1 at a time; nothing was run")
    assert run("%flow backfills").text.startswith("There are no backfills")
    done = run(f"%flow backfill tests.time.daily.morning {START} name=Bob --parallelism 3 --label by=test --wait")
    assert done.success, done.text
    [one] = Engine.default().backfills()
    assert (one.ended, one.failed, one.state) == (5, 1, "DONE")
    shown = run(f"%flow backfill {one.id}").text
    assert "5 of 5 done · 1 failed" in shown
    assert "✓✓✗✓✓" in shown
    assert one.id in run("%flow backfills tests.time.daily").text
    [failed] = Engine.default().executions(state="FAILED")
    assert failed.inputs["name"] == "Bob"
    again = run(f"%flow backfill tests.time.daily {START} --only failed --dry-run")
    assert again.text.startswith("1 date,")
    picked = run("%flow backfill tests.time.daily --dates 2026-03-01,2026-03-02T12:00:00Z --dry-run")
    assert picked.text.startswith("2 dates")


@pytest.mark.usefixtures("deployed")
def test_a_backfill_is_paused_resumed_and_cancelled(run: Run, server: Engine) -> None:
    assert run("%flow backfill tests.time.daily --start 2000-01-01").success
    [one] = server.backfills()
    assert "PAUSED" in run("%flow backfill pause tests.time.daily.morning").text
    assert run(f"%flow backfill resume {one.id}").success
    assert "CANCELLED" in run(f"%flow backfill cancel {one.id}").text
    refused = run(f"%flow backfill pause {one.id}")
    assert not refused.success
    assert "there is nothing to pause" in refused.text
    assert (
        "no backfill of tests.time.daily.morning goes on" in run("%flow backfill pause tests.time.daily.morning").text
    )
    assert "which dates?" in run("%flow backfill tests.time.daily").text
    assert "`yesterday` is no date" in run("%flow backfill tests.time.daily --start yesterday").text


@pytest.mark.usefixtures("deployed")
def test_the_scheduler_is_described(run: Run) -> None:
    assert run("%flow scheduler").text.startswith("No scheduler runs on ")


def test_a_scheduler_elsewhere_is_named(run: Run, server: Engine) -> None:
    said = run("%flow scheduler").text
    assert "A scheduler runs on " in said
    assert "0 triggers" in said
    assert server.scheduler_status().is_here


@pytest.mark.usefixtures("deployed")
def test_a_run_is_handed_to_a_server(run: Run, server: Engine) -> None:
    done = run("%flow run tests.time.daily --detach --wait name=Eve")
    assert done.success, done.text
    assert "handed to the server on " in done.text
    assert done.value.state == "SUCCESS"
    assert not Engine.default().runs(done.value.id)


@pytest.mark.usefixtures("deployed")
def test_without_a_server_nothing_is_handed_out(run: Run) -> None:
    refused = run("%flow run tests.time.daily --detach")
    assert not refused.success
    assert "no server runs on" in refused.text
    assert "nbflow server" in refused.text
    assert Engine.default().executions() == []


@pytest.mark.usefixtures("deployed")
def test_triggers_are_completed(complete) -> None:  # type: ignore[no-untyped-def]
    assert "enable" in complete("%flow trigger en|")
    assert complete("%flow trigger enable tests.t|") == ["tests.time.daily.morning"]

"""The tests of a package that somebody else has written: it is installed, and imports nothing but the public kit."""

import pytest

from nbflow.errors import FlowValidationError, MissingExtraError
from nbflow.expressions import render
from nbflow.plugins.reference import find_type, reference_of
from nbflow.testing import run_example, run_task, undocumented

NAMES = ["Report", "Watch", "Stations", "Twice", "OnStorm", "IsWarm", "Outdoors"]


@pytest.mark.parametrize("name", NAMES)
def test_types_are_found_documented_and_their_examples_run(name):
    cls = find_type(f"acme.weather.{name}")
    assert undocumented(cls) == []
    for example in cls.examples:
        run_example(cls, example)


def test_a_task_uses_files_secrets_metrics_and_its_log():
    result = run_task(
        """
        type: weather
        city: "{{ inputs.city }}"
        degrees: "{{ vars.measured }}"
        source: "{{ vars.files['more.txt'] }}"
        tokenOf: WEATHER_TOKEN
        """,
        inputs={"city": "Oslo"},
        variables={"measured": [3, 5]},
        files={"more.txt": "7\n1\n"},
        secrets={"WEATHER_TOKEN": "let-me-in"},
    )
    assert result.state == "SUCCESS"
    assert result.outputs["warmest"] == 7
    assert result.files[result.outputs["uri"]] == b"3.0\n5.0\n7.0\n1.0"
    assert result.metric("measurements") == 4
    assert result.metrics[0].tags == {"city": "Oslo"}
    assert result.messages == ["let in with ********", "Oslo: 4 measurements"]


def test_a_task_says_how_it_failed_and_may_end_in_warning():
    failed = run_task("{type: weather, city: Oslo, degrees: []}")
    assert failed.state == "FAILED"
    assert failed.messages == ["nothing was measured in Oslo (give `degrees` or a `source`)"]
    assert run_task("{type: weather, city: Cairo, degrees: [41]}").state == "WARNING"


def test_a_timeout_stops_what_blocks_in_a_thread():
    result = run_task("{type: acme.weather.Watch, length: PT60S, timeout: PT0.2S}", timeout=20)
    assert result.state == "FAILED"
    assert result.messages[:2] == ["watching", "stopped watching"]


def test_a_task_shows_task_runs_of_its_own():
    result = run_task("{type: acme.weather.Stations, names: [north, south]}")
    assert [(run.task_id, run.state, run.outputs) for run in result.task_runs[1:]] == [
        ("north", "SUCCESS", {"number": 0}),
        ("south", "SUCCESS", {"number": 1}),
    ]


def test_a_flowable_runs_its_tasks():
    result = run_task("{type: acme.weather.Twice, tasks: [{id: look, type: log, message: '{{ taskrun.value }}'}]}")
    assert (result.messages, result.outputs) == (["0", "1"], {"rounds": 2})


@pytest.mark.parametrize(("degrees", "state"), [("25", "SUCCESS"), ("{{ 10 + 5 }}", "SKIPPED")])
def test_a_condition_keeps_a_task_from_running(degrees, state):
    condition = {"type": "acme.weather.IsWarm", "degrees": degrees}
    assert run_task({"type": "log", "message": "swim", "conditions": [condition]}).state == state


def test_a_task_runner_runs_scripts():
    result = run_task("{type: shell, commands: [echo here], taskRunner: {type: acme.weather.Outdoors}}")
    assert result.messages == ["whoosh", "here"]


def test_filters_and_functions_are_part_of_the_language():
    assert render("{{ 100 | fahrenheit }} {{ 1 | fahrenheit(digits=0) }}") == "212.0 34.0"
    assert render("{{ wind_chill(10, wind=20) }}") == "6.0"
    assert run_task({"type": "return", "format": "{{ 100 | fahrenheit }}"}).outputs == {"value": "212.0"}


def test_a_filter_that_fails_fails_its_task():
    result = run_task({"type": "return", "format": "{{ 3 | unlucky }}"})
    assert result.state == "FAILED"
    assert "RuntimeError: no luck with 3" in result.messages[0]


def test_mistakes_in_a_flow_are_told_with_the_nearest_name():
    with pytest.raises(FlowValidationError) as refused:
        run_task("{type: acme.weather.Raport, city: Oslo, degrees: [1]}")
    assert refused.value.problems[0].hint == "did you mean `acme.weather.Report`?"
    with pytest.raises(FlowValidationError) as refused:
        run_task("{type: weather, town: Oslo, degrees: [1]}")
    assert {problem.path for problem in refused.value.problems} == {"tasks[0].city", "tasks[0].town"}


def test_a_type_whose_package_is_missing_says_so():
    with pytest.raises(MissingExtraError, match="needs the package `a_package_that_is_not_installed`"):
        find_type("acme.weather.Satellite")


def test_the_reference_is_made_of_the_model():
    reference = reference_of(find_type("weather"))
    city = next(each for each in reference.properties if each.name == "tokenOf")
    assert (city.type, city.required, city.dynamic) == ("text", False, True)
    assert [each.name for each in reference.outputs] == ["warmest", "uri"]

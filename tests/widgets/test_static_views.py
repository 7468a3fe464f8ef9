"""The static twins: everything of users is escaped, long things are cut, tables are tables."""

from __future__ import annotations

from html.parser import HTMLParser

from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.plugins.graph import FlowGraph, GraphEdge, GraphNode
from nbflow.widgets.logs import LONGEST, log_html, log_text
from nbflow.widgets.topology import topology_svg, topology_text
from nbflow.widgets.twin import execution_html, execution_text
from nbflow.widgets.values import outputs_of, show_value, value_html, value_text
from tests.widgets.run_records import at, entry, execution, task_run

EVIL = '<script>alert("x")</script><img src=x onerror=alert(1)>'


class _Tags(HTMLParser):
    """Collects the tags and attribute names of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def test_the_twin_shows_state_tasks_outputs_and_log() -> None:
    runs = [task_run("extract", 0, 4, outputs={"uri": "kestra:///a.csv"}), task_run("load", 4, 10)]
    html = execution_html(execution(outputs={"rows": 3}), runs, [entry(1, "hello")], at(20))
    for part in ("SUCCESS", "company.team.etl", "extract", "load", "kestra:///a.csv", "rows", "hello", "<svg"):
        assert part in html
    text = execution_text(execution(outputs={"rows": 3}), runs, [entry(1, "hello")], at(20))
    assert "✓ SUCCESS  company.team.etl  execution exec1  10.0 s" in text
    assert "extract.uri: kestra:///a.csv" in text
    assert "rows: 3" in text


def test_the_facts_of_the_twin_survive_without_svg_and_styles() -> None:
    html = execution_html(execution(State.FAILED), [task_run("extract", 1, 4, State.FAILED)], [], at(20))
    cells = [part.split("<")[0] for part in html.split(">")]
    assert "extract" in cells
    assert " FAILED" in cells
    assert "1.00 – 4.00 s" in cells


def test_a_hostile_execution_is_escaped() -> None:
    runs = [task_run(EVIL, 0, 4, outputs={EVIL: EVIL, "rows": [{EVIL: EVIL}]}), task_run("each", 1, 2, value=EVIL)]
    hostile = execution(namespace=EVIL, flow_id=EVIL, id=EVIL, outputs={EVIL: EVIL})
    found = _Tags(execution_html(hostile, runs, [entry(1, EVIL, task_id=EVIL)], at(20)))
    assert not {"script", "img"} & found.tags
    assert not {name for name in found.attributes if name.startswith("on")}


def test_a_hostile_flow_graph_is_escaped() -> None:
    graph = FlowGraph([GraphNode(EVIL, EVIL), GraphNode("b", EVIL, EVIL, EVIL)], [])
    assert not {"script", "img"} & _Tags(topology_svg(graph)).tags


def test_a_thousand_task_runs_make_a_small_twin() -> None:
    runs = [task_run("each", 0, 1, value=str(number)) for number in range(1000)]
    html = execution_html(execution(), runs, [], at(20))
    assert "900 more: 900 SUCCESS" in html
    assert len(html) < 100_000


def test_log_lines_are_capped_and_keep_their_level() -> None:
    html = log_html([entry(1, "y" * (LONGEST + 10), LogLevel.ERROR)])
    assert f"… ({LONGEST + 10} characters)" in html
    assert "ERROR" in html
    lines = log_text([entry(1, "one"), entry(2, "two", LogLevel.WARN, task_id=None)]).splitlines()
    assert lines[0].endswith("INFO  extract: one")
    assert lines[1].endswith("WARN  two")


def test_a_list_of_records_is_shown_as_a_table() -> None:
    shown = show_value("query", "rows", [{"carrier": "AA", "n": number} for number in range(30)])
    assert shown.columns == ("carrier", "n")
    assert value_html(shown).count("<tr>") == 21
    assert value_text(shown).splitlines()[:2] == ["query.rows:", "  carrier  n"]
    assert value_text(shown).endswith("… and 10 more rows")


def test_long_values_are_cut() -> None:
    assert show_value("t", "big", "z" * 5000).text.endswith("… (5000 characters)")
    assert len(outputs_of({str(number): number for number in range(500)}, [])) == 60


def test_the_topology_puts_what_runs_at_once_into_one_column() -> None:
    graph = FlowGraph(
        [GraphNode("a", "x.Log"), GraphNode("b", "x.Log"), GraphNode("c", "x.Log"), GraphNode("d", "x.Log")],
        [GraphEdge("a", "b"), GraphEdge("a", "c"), GraphEdge("b", "d"), GraphEdge("c", "d")],
    )
    svg = topology_svg(graph)
    places = {name: svg.split(f">{name}</text>")[0].rsplit('x="', 1)[1].split('"')[0] for name in ("a", "b", "c", "d")}
    assert places["b"] == places["c"]
    assert float(places["a"]) < float(places["b"]) < float(places["d"])
    assert topology_text(graph).splitlines()[3] == "d  Log  after: b, c"


def test_tables_come_first_and_empty_outputs_are_left_out() -> None:
    runs = [
        task_run("script", 0, 1, outputs={"vars": {}, "outputFiles": [], "uri": None, "exitCode": 0}),
        task_run("query", 1, 2, outputs={"rows": [{"a": 1}], "size": 1}),
    ]
    names = [f"{shown.task}.{shown.name}" for shown in outputs_of({"total": 3}, runs)]
    assert names == [".total", "query.rows", "script.exitCode", "query.size"]

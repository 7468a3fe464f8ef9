"""Writing: readable YAML that reads as the same values."""

from __future__ import annotations

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nbflow.source import read_document
from nbflow.source.writer import dump_flow, dump_yaml


def test_properties_come_in_the_order_people_write_them() -> None:
    flow = {
        "triggers": [],
        "tasks": [{"message": "line one\nline two\n", "type": "log", "id": "a"}],
        "namespace": "company.team",
        "description": "Says hello",
        "variables": {"z": 1, "id": 2},
        "id": "hello",
    }
    assert dump_flow(flow) == (  # type: ignore[arg-type]
        "id: hello\n"
        "namespace: company.team\n"
        "description: Says hello\n"
        "variables:\n"
        "  z: 1\n"
        "  id: 2\n"
        "tasks:\n"
        "  - id: a\n"
        "    type: log\n"
        "    message: |\n"
        "      line one\n"
        "      line two\n"
        "triggers: []\n"
    )


def test_text_that_looks_like_another_value_is_quoted() -> None:
    written = dump_yaml(
        {"a": "12", "b": "true", "c": "2024-01-01", "d": "y", "e": "~", "f": "{{ x }}", "g": "plain", "h": "<<"}
    )
    assert written == ('a: "12"\nb: "true"\nc: "2024-01-01"\nd: "y"\ne: "~"\nf: \'{{ x }}\'\ng: plain\nh: "<<"\n')


def test_numbers_keep_how_they_were_written() -> None:
    text = "a: 1.10\nb: 012\nc: 1_000\nd: 3\n"
    assert dump_yaml(read_document(text).value) == text


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]))
    | st.text(alphabet="ab: -#'\"\n\t|>&*{}[]%@`!?,.0123456789eExyn~<=_+"),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet="abc: \n'#-1.yn", max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(VALUES)
def test_what_is_written_reads_as_the_same(value: object) -> None:
    document = read_document(dump_yaml(value))  # type: ignore[arg-type]
    assert document.problems == []
    assert document.value == value
    assert repr(document.value) == repr(value)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["id", "tasks", "zebra", "namespace", "type", "labels"]), VALUES, max_size=5))
def test_order_loses_nothing(flow: dict[str, object]) -> None:
    assert read_document(dump_flow(flow)).value == flow  # type: ignore[arg-type]


@given(st.text(alphabet="yesnotruefalsYN0123456789.-:T_x~+e"))
def test_other_yaml_programs_read_text_as_text(text: str) -> None:
    assert yaml.safe_load(dump_yaml({"a": text})) == {"a": text}

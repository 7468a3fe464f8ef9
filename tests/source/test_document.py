"""Documents: values, faults of the YAML, and where each value stands."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.model import yaml_text
from nbflow.source.document import Document, Place, format_path, read_document

TEXT = """id: a
tasks:
  - id: x
    literal: |
      one
        two <A>

      three <B>
    folded: >-
      alpha beta
      gamma <C>

      delta <D>
    double: "a\\tb \\u00e9 <E>
      folded <F>"
    single: 'it''s <G>'
    plain: some <H> text
      more <I>
    indented: &anchor !!str |2
        kept <J>
    empty:
    inner: {a: 1}
"""


@pytest.mark.parametrize("mark", "ABCDEFGHIJ")
def test_places_inside_texts_of_every_style(mark: str) -> None:
    document = read_document(TEXT)
    lines = TEXT.split("\n")
    wanted = f"<{mark}>"
    task = document.value["tasks"][0]  # type: ignore[index, call-overload]
    name, value = next((name, value) for name, value in task.items() if wanted in str(value))  # type: ignore[union-attr]
    before = str(value)[: str(value).index(wanted)]  # type: ignore[str-bytes-safe]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    place = document.position_in(("tasks", 0, str(name)), line, column)
    assert lines[place.line - 1][place.column - 1 :].startswith(wanted)


def test_places_of_values_and_names() -> None:
    document = read_document(TEXT)
    assert document.position(("id",)) == Place(1, 5, 1)
    assert document.key_position(("tasks", 0, "inner")) == Place(22, 5, 5)
    assert document.position(("tasks", 0, "inner", "a")) == Place(22, 16, 1)
    assert document.position(("tasks", 0)) == Place(3, 5, 2)


def test_a_value_that_is_not_there_stands_where_its_part_does() -> None:
    document = read_document(TEXT)
    assert document.position(("tasks", 0, "message")) == Place(3, 5, 2)
    assert document.position(("tasks", 0, "empty")) == Place(21, 5, 5)
    assert document.position(("triggers", 3, "cron")) == Place(1, 1, 2)


def test_values_of_merged_mappings_stand_where_they_were_written() -> None:
    document = read_document("base: &b\n  x: 1\nuse:\n  <<: *b\n")
    assert document.position(("use", "x")) == Place(2, 6, 1)


def test_paths_are_written_as_people_do() -> None:
    assert format_path(("tasks", 2, "retry", "maxAttempts")) == "tasks[2].retry.maxAttempts"
    assert format_path(("tasks", 0, "inputFiles", "a b.csv")) == 'tasks[0].inputFiles["a b.csv"]'


FAULTS = [
    ("a: b: c", "1:5 a colon followed by a space starts a property, and none may stand here "
     "(put text that holds `: ` in quotes, or mend the indentation)"),
    ("a:\n\t- b", "2:1 a tab stands where the line is indented (indent with spaces)"),
    ("a: 'x", "1:4 the quote that opens here is never closed (close it)"),
    ("- a\nb: 1", "2:1 a list item was expected here (indent it as the items above, starting with `- `)"),
    ("a: *x", "1:4 there is no anchor of this name (name one with `&name` before, or quote text that starts with `*`)"),
    ("a: @x", "1:4 text cannot start with `@` (put it in quotes)"),
    ("a: `x", "1:4 text cannot start with a backtick (put it in quotes)"),
    ("a: {{ x }}", '1:4 text that starts with an expression needs quotes (write "{{ … }}")'),
    ("a: 1\nb: {{ x }}-y\nc: 1", '2:4 text that starts with an expression needs quotes (write "{{ … }}")'),
    ("a: {b: 1", "2:1 the mapping that opens with `{` is never closed here "
     "(close it with `}`; put expressions in quotes)"),
    ("x: 1\nfoo\nb: 1", "3:1 a property needs a colon (write `name: value`)"),
    ('a: "\\q"', "1:5 there is no such escape in double quotes (write `\\\\`, or use single quotes)"),
    ("a: \x01", "1:4 the character U+0001 is not allowed in YAML "
     "(remove it, or write it as an escape in double quotes)"),
    ("a: \ud800", "1:4 the character U+D800 is not allowed in YAML "
     "(remove it, or write it as an escape in double quotes)"),
    ("a: 1\nb: 2\na: 3", "3:1 `a` is given twice, first in line 1 (keep one of the two)"),
    ("a: &x [*x]", "1:4 is nested more than 100 levels deep (move inner tasks to a subflow)"),
    ("? [a]\n: b", "1:3 the name of a property must be text (put it in quotes)"),
    ("a: {<<: 3}", "1:9 `<<` must name a mapping, or a list of them"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "problem"), FAULTS)
def test_faults_say_where_and_how_to_mend(text: str, problem: str) -> None:
    assert [str(found) for found in read_document(text).problems] == [problem]


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000 + "x", "{a: " * 50_000, "? " * 50_000])
def test_deep_nesting_is_a_problem_not_a_crash(text: str) -> None:
    assert "nested more than 100 levels" in read_document(text).problems[0].message


def test_a_bomb_of_aliases_is_refused_quickly() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{row}: &a{row} [{', '.join([f'*a{row - 1}'] * 10)}]" for row in range(1, 10)]
    assert read_document("\n".join(rows)).problems[0].message == (
        "the text has more than 200,000 values once aliases are filled in"
    )


def test_a_huge_text_is_refused() -> None:
    problem = read_document("a: " + "x" * (yaml_text.MAX_CHARACTERS + 1)).problems[0]
    assert problem.message == "the text has 3,145,732 characters; at most 3,145,728 characters are read"


def test_several_documents_are_counted() -> None:
    assert read_document("--- \na: 1\n---\nb: 2\n").count == 2
    assert read_document("a: 1\n---\n# nothing\n").count == 1


def test_the_pure_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = read_document(TEXT).value
    monkeypatch.setattr(yaml_text, "_COMPOSER", yaml_text.pure_composer())
    slow: Document = read_document(TEXT)
    assert slow.value == fast
    assert slow.position(("tasks", 0, "inner", "a")) == Place(22, 16, 1)


@given(st.text() | st.text(alphabet=":-[]{}&*!|>'\"%@`#,? \n\tab1.<~"))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    document = read_document(text)
    for problem in document.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.line <= len(re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text)) + 1

"""Reading SQL without parsing it: where statements end, and what is a placeholder."""

from __future__ import annotations

import pytest

from nbflow.tasks.sql.connections.connection import Connection
from nbflow.tasks.sql.connections.mysql import MySqlConnection
from nbflow.tasks.sql.connections.sqlite import SqliteConnection
from nbflow.tasks.sql.text import statements, words


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';' ; SELECT 'it''s;'", ["SELECT ';'", "SELECT 'it''s;'"]),
        ('CREATE TABLE "a;b" (x INT); ', ['CREATE TABLE "a;b" (x INT)']),
        ("-- first; not\nSELECT 1; -- last;", ["-- first; not\nSELECT 1"]),
        ("/* a; b */ ; SELECT 1", ["SELECT 1"]),
        ("DO $$ BEGIN x; END $$; SELECT 1", ["DO $$ BEGIN x; END $$", "SELECT 1"]),
        ("DO $f$ a; $$ b; $f$; SELECT 1", ["DO $f$ a; $$ b; $f$", "SELECT 1"]),
        (r"SELECT E'\';'; SELECT 2", [r"SELECT E'\';'", "SELECT 2"]),
        (r"SELECT '\'; SELECT 2", [r"SELECT '\'", "SELECT 2"]),
        ("", []),
        (" ; \n;-- nothing", []),
    ],
)
def test_statements_end_at_semicolons_outside_of_strings_names_and_comments(sql: str, parts: list[str]) -> None:
    assert statements(sql) == parts


def test_a_backslash_escapes_where_the_database_says_so() -> None:
    sql = r"SELECT 'a\';b', " + r'"c\";d"' + " # ; no\n; SELECT `e;f`"
    assert statements(sql, backslashes=True) == [sql.split("\n")[0], "SELECT `e;f`"]


def test_the_body_of_a_trigger_of_sqlite_is_one_statement_with_it() -> None:
    sql = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET n = 1; DELETE FROM c; END; SELECT 1"
    assert len(SqliteConnection(None, (), "named").statements(sql)) == 2


def test_words_leave_strings_names_and_comments_out() -> None:
    assert words("/* INSERT */ WITH a AS (SELECT 'DELETE') SELECT \"INTO\" FROM a") == [
        "WITH", "A", "AS", "SELECT", "SELECT", "FROM", "A",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("style", "sql", "values"),
    [
        ("named", "SELECT :a, ':a', b::a, '50%' WHERE x = :b", {"a": 1, "b": 2}),
        ("pyformat", "SELECT %(a)s, ':a', b::a, '50%%' WHERE x = %(b)s", {"a": 1, "b": 2}),
        ("format", "SELECT %s, ':a', b::a, '50%%' WHERE x = %s", [1, 2]),
        ("qmark", "SELECT ?, ':a', b::a, '50%' WHERE x = ?", [1, 2]),
        ("numeric", "SELECT :1, ':a', b::a, '50%' WHERE x = :2", [1, 2]),
    ],
)
def test_named_parameters_take_the_style_of_each_driver(style: str, sql: str, values: object) -> None:
    text = "SELECT :a, ':a', b::a, '50%' WHERE x = :b"
    assert Connection(None, (), style).bound(text, {"a": 1, "b": 2, "unused": 3}) == (sql, values)


@pytest.mark.parametrize(
    ("style", "sql"), [("named", ":1, '?', :2"), ("pyformat", "%s, '?', %s"), ("qmark", "?, '?', ?")]
)
def test_question_marks_take_the_style_of_each_driver(style: str, sql: str) -> None:
    assert Connection(None, (), style).bound("SELECT ?, '?', ?", [1, {"a": 2}]) == (f"SELECT {sql}", [1, '{"a": 2}'])


def test_a_backslash_escapes_around_placeholders_too() -> None:
    connection = MySqlConnection(None, (), "pyformat")
    assert connection.bound(r"SELECT 'it\'s :a %', :a", {"a": 1}) == (r"SELECT 'it\'s :a %%', %(a)s", {"a": 1})

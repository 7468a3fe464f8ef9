"""What a cell reads, binds and changes, found without running it."""

from __future__ import annotations

import pytest

from nbflow.tasks.cells.names import names_of
from nbflow.tasks.cells.sql_names import sql_names_of
from nbflow.tasks.cells.statements import Kind


@pytest.mark.parametrize(
    ("code", "reads", "binds"),
    [
        ("b = a + 1", "a", "b"),
        ("a = a + 1", "a", "a"),
        ("a += 1", "a", "a"),
        ("a: int = b", "int b", "a"),
        ("df['x'] = s", "df s", ""),
        ("x = [i for i in rows if i > n]", "rows n", "x"),
        ("x = [x for x in x]", "x", "x"),
        ("if (n := len(a)) > 1:\n    b = n", "len a", "n b"),
        ("for i in rows:\n    total = i\nprint(i)", "rows print i", "i total"),
        ("if flag:\n    a = 1\nb = a", "flag a", "a b"),
        ("if flag:\n    a = 1\nelse:\n    a = 2\nb = a", "flag", "a b"),
        ("try:\n    import x\nexcept ImportError:\n    x = None\ny = x", "ImportError", "x y"),
        ("with open(p) as f:\n    text = f.read()", "open p", "f text"),
        ("def f(x, y=d):\n    return x + g", "d", "f"),
        ("def f(x):\n    return x + g\nf(1)", "g", "f"),
        ("f = lambda x: x + g\ny = f(1)", "g", "f y"),
        ("def f():\n    global n\n    n = 1\nf()", "", "f n"),
        ("class A(Base):\n    y = k\n    def m(self):\n        return z", "Base k", "A"),
        ("class A:\n    def m(self):\n        return z\nA().m()", "z", "A"),
        ("import a.b as c, d.e", "", "c d"),
        ("from m import f as g", "", "g"),
        ("match v:\n    case {'k': w, **rest}:\n        u = w", "v", "w rest u"),
        ("a = 1\ndel a", "", ""),
        ("a, (b, *c) = t", "t", "a b c"),
        ("x = f'{name!r:>{width}}'", "name width", "x"),
        ("data = !ls {folder}", "folder get_ipython", "data"),
        ("%time y = slow(x)", "slow x", "y"),
        ("await work(x)", "work x", ""),
        ("print(*args, **more)", "print args more", ""),
    ],
)
def test_reads_and_binds(code: str, reads: str, binds: str) -> None:
    found = names_of(code)
    assert found.reads - {"get_ipython"} == set(reads.split()) - {"get_ipython"}
    assert found.binds == set(binds.split())


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("rows.append(1)", "rows"),
        ("df.loc[0, 'x'] = 1", "df"),
        ("df.drop(columns='x', inplace=True)", "df"),
        ("df.drop(columns='x')", ""),
        ("model.fit(X, y)", "model"),
        ("cfg['a']['b'] = 1", "cfg"),
        ("def f():\n    rows.append(1)\nf()", "rows"),
        ("def f(it):\n    it.append(1)\nf(rows)", "rows"),
        ("rows = []\nrows.append(1)", ""),
    ],
)
def test_values_changed_in_place(code: str, changes: str) -> None:
    assert names_of(code).changes == set(changes.split())


def test_a_cell_gives_values_and_no_code() -> None:
    found = names_of("import os\ndef f(): pass\nclass A: pass\nx = 1\nfor i in []:\n    pass")
    assert found.gives == {"x", "i"}
    assert found.temporary == {"i"}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import os", Kind.CODE),
        ("def f(): pass", Kind.CODE),
        ("f = lambda x: x", Kind.CODE),
        ("RATE = 1.2 * 3", Kind.PLAIN),
        ("PATH = Path('a') / 'b'", Kind.PLAIN),
        ("sys.path.append('lib')", Kind.PLAIN),
        ("df = pd.read_csv('a.csv')", Kind.WORK),
        ("print(1)", Kind.WORK),
        ("for i in a: pass", Kind.WORK),
    ],
)
def test_what_a_statement_is_good_for(code: str, kind: Kind) -> None:
    assert [one.kind for one in names_of(code).statements] == [kind]


def test_a_mistake_is_a_syntax_error_with_its_line() -> None:
    with pytest.raises(SyntaxError) as wrong:
        names_of("a = 1\nb = (")
    assert wrong.value.lineno == 2


@pytest.mark.parametrize(
    ("sql", "reads", "binds"),
    [
        ("SELECT * FROM df", "df", "r"),
        ("SELECT * FROM a JOIN b USING (x) WHERE y > $least", "a b least", "r"),
        ("WITH t AS (SELECT * FROM a) SELECT * FROM t", "a", "r"),
        ("CREATE TABLE t AS SELECT * FROM a; SELECT * FROM t", "a", "t r"),
        ("CREATE TABLE t AS SELECT * FROM a", "a", "t"),
        ("INSERT INTO t SELECT * FROM a", "t a", ""),
        ("SELECT * FROM 'file.csv'", "", "r"),
        ("SELECT * FROM other.t", "", "r"),
        ("SELECT 1 AS from_nothing", "", "r"),
        ("COPY (SELECT * FROM a) TO 'x.csv'", "a", ""),
    ],
)
def test_tables_of_sql(sql: str, reads: str, binds: str) -> None:
    found = sql_names_of(sql, "r")
    assert found.reads == set(reads.split())
    assert found.binds == set(binds.split())

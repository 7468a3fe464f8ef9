"""`%flow sql` and `%flow diff`: the history queried, two executions compared."""

from __future__ import annotations

import re

from nbflow.engine import Execution
from nbflow.engine.comparing import compare, pick
from nbflow.engine.live.given import kind_of
from nbflow.errors import NotFoundError
from nbflow.magics.answers import find_execution, table
from nbflow.magics.arguments import Arguments, unquote
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session
from nbflow.store.history_sql.tables import HISTORY
from nbflow.widgets.diff import diff_html, diff_text
from nbflow.widgets.output import publish, static_bundle

_FRAMES = ("pandas.DataFrame", "polars.DataFrame", "pyarrow.Table")
_WORD = re.compile(r"\w+")


def sql(session: Session, arguments: Arguments) -> object:
    """Answer a query of the history; data frames of the notebook can be joined by their names. Alone: the tables."""
    query = unquote(" ".join(arguments.words))
    if not query:
        table(
            ("table", "column", "type", "what it tells"),
            [(one.name, column.name, column.type, column.about) for one in HISTORY.values() for column in one.columns],
        )
        return None
    names = {name for name in _WORD.findall(query) if name in session.variables and name not in HISTORY}
    frames = {name: session.variables[name] for name in names if kind_of(session.variables[name]) in _FRAMES}
    answer: object = session.engine.sql(query, frames)
    return answer


def diff(session: Session, arguments: Arguments) -> None:
    """Compare two executions, named by id, variable, `last` or `previous`; the last two of a flow unless told."""
    if len(arguments.words) > 2:
        raise FlowCellError(f"`{arguments.words[2]}` is one word too many", "%flow diff A B")
    before, after = (
        [*arguments.words, "previous", "last"][:2] if len(arguments.words) != 1 else (arguments.words[0], "last")
    )
    try:
        pair = pick(session.engine, *(_id(session, wanted) for wanted in (before, after)))
    except NotFoundError as missing:
        raise FlowCellError(missing.message, missing.hint) from None
    found = compare(*pair, session.engine.store.files)
    publish(static_bundle(diff_html(found), diff_text(found)))


def _id(session: Session, wanted: str) -> str:
    held = session.variables.get(wanted)
    if isinstance(held, Execution):
        return held.id
    return wanted if wanted in ("last", "previous") else find_execution(session, wanted).id

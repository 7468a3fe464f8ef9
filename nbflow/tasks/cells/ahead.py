"""What a Python that waits for a cell may import in advance: the libraries that the cells of its flow use.

Only libraries that do nothing but be there when they are imported, and take their time for it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from nbflow.plugins import RunContext

_LIBRARIES_TEXT = """
IPython PIL altair bokeh boto3 botocore bs4 duckdb fsspec httpx ibis jinja2 lxml matplotlib networkx numpy openpyxl
pandas plotly polars psycopg pyarrow pydantic pymysql requests scipy seaborn shapely geopandas sklearn sqlalchemy
statsmodels sympy xarray yaml
"""
LIBRARIES = frozenset(_LIBRARIES_TEXT.split())
WATCHED = (
    "IPython.core.interactiveshell",
    "duckdb",
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "numpy",
    "pandas",
    "pandas.io.parquet",
    "polars",
    "pyarrow",
    "pyarrow.parquet",
)
"""Modules that come with others, or late, as values are read and written: a cell reports those that it has loaded."""

_OF_A_CELL = ("ast", "asyncio", "inspect", "json", "linecache", "pickle", "traceback")
_FRAMES = ("pandas.io.parquet", "pyarrow.parquet", "pyarrow.dataset", "pandas.core.arrays.arrow.extension_types")
_IMPORT = re.compile(r"\b(?:import|from)[ \t]+([A-Za-z_][\w.]*(?:[ \t]*,[ \t]*[A-Za-z_][\w.]*)*)")
_CELL = re.compile(r"nbflow\.cells\.(?:Python|Sql)\b|\b(?:python|sql)_cell\b")
_SQL = re.compile(r"nbflow\.cells\.Sql\b|\bsql_cell\b")
_FLOWS = 256

_Flow = tuple[str, str, object]
_read: OrderedDict[_Flow, tuple[tuple[str, ...], int]] = OrderedDict()
_learnt: OrderedDict[tuple[str, str], set[str]] = OrderedDict()


def modules_in(text: str) -> list[str]:
    """The modules of known libraries that a text imports."""
    found: dict[str, None] = {}
    for names in _IMPORT.findall(text):
        for name in re.split(r"[ \t]*,[ \t]*", names):
            if name.partition(".")[0] in LIBRARIES:
                found[name.rstrip(".")] = None
    return list(found)


def wanted(ctx: RunContext, texts: Iterable[str], libraries: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """What to import for a cell and for those of its flow, and how many other cells it has. Blocks."""
    of_flow, cells = _of_flow(ctx)
    names = dict.fromkeys([*_OF_A_CELL, *libraries, *(name for text in texts for name in modules_in(text)), *of_flow])
    names.update(dict.fromkeys(sorted(_learnt.get((ctx.namespace, ctx.flow_id), ()))))
    if "pandas" in names:
        names.update(dict.fromkeys(_FRAMES))
    return tuple(names), max(cells - 1, 0)


def learn(ctx: RunContext, loaded: Iterable[str]) -> None:
    """Note what a cell of a flow has loaded, for the cells to come."""
    _learnt.setdefault((ctx.namespace, ctx.flow_id), set()).update(loaded)
    while len(_learnt) > _FLOWS:
        _learnt.popitem(last=False)


def _of_flow(ctx: RunContext) -> tuple[tuple[str, ...], int]:
    flow = ctx.variables.get("flow")
    revision = flow.get("revision") if isinstance(flow, dict) else None
    key = (ctx.namespace, ctx.flow_id, revision)
    if key not in _read:
        found = [one for one in ctx.flows.list(ctx.namespace) if one.id == ctx.flow_id and one.revision == revision]
        text = found[0].source if found else ""
        modules = [*modules_in(text), *(["duckdb"] if _SQL.search(text) else [])]
        _read[key] = tuple(modules), len(_CELL.findall(text))
        while len(_read) > _FLOWS:
            _read.popitem(last=False)
    return _read[key]

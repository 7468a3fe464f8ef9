"""Notebooks as scheduled pipelines: the flow that runs a notebook, deployed with what it needs; the faces call it."""

from nbflow.notebooks.flows import NotebookFlow, name_of
from nbflow.notebooks.publishing import (
    Published,
    check_file,
    executed_notebook,
    last_executed,
    publish,
    read_file,
    try_out,
)

__all__ = [
    "NotebookFlow",
    "Published",
    "check_file",
    "executed_notebook",
    "last_executed",
    "name_of",
    "publish",
    "read_file",
    "try_out",
]

"""Text ⇄ flow: loads YAML with every problem and its place, writes flows, describes them to editors.

Engine and faces import it; it knows the model and the registry of plugins, never an engine or a store.
"""

from nbflow.source.document import Document, Place, read_document
from nbflow.source.loader import LoadedFlow, load_flow, split_documents, validate
from nbflow.source.locating import locate
from nbflow.source.pools import unknown_pool
from nbflow.source.problems import compiler_line, compiler_lines, render_problems

__all__ = [
    "Document",
    "LoadedFlow",
    "Place",
    "compiler_line",
    "compiler_lines",
    "load_flow",
    "locate",
    "read_document",
    "render_problems",
    "split_documents",
    "unknown_pool",
    "validate",
]

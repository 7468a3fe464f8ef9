"""JSON Schema of test suites, for editors."""

from __future__ import annotations

from nbflow.flowtests.suite import Suite
from nbflow.source.schema import DRAFT, Schema


def suite_schema() -> Schema:
    """The schema of a suite (draft 7, its definitions under `$defs`)."""
    schema: Schema = Suite.model_json_schema(by_alias=True)
    return {"$schema": DRAFT, **schema}

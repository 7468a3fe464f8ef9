"""Tests of flows: suites in YAML, as Kestra's unit tests have them, run on the real engine with mocked tasks.

A suite names a flow and has cases; each case runs the flow once, in a home of its own that is thrown away, with
fixtures for inputs, files, tasks and the trigger, and asks its assertions afterwards.
Faces import from here; it knows the engine and what lies below.
"""

from nbflow.flowtests.finding import FoundFlow, World, find_suites
from nbflow.flowtests.junit import junit_xml
from nbflow.flowtests.loading import LoadedSuite, SuiteError, is_suite, read_suite
from nbflow.flowtests.results import CaseResult, CaseState, Checked, SuiteResult
from nbflow.flowtests.running import prepared, run_suites
from nbflow.flowtests.schema import suite_schema
from nbflow.flowtests.suite import Suite

__all__ = [
    "CaseResult",
    "CaseState",
    "Checked",
    "FoundFlow",
    "LoadedSuite",
    "Suite",
    "SuiteError",
    "SuiteResult",
    "World",
    "find_suites",
    "is_suite",
    "junit_xml",
    "prepared",
    "read_suite",
    "run_suites",
    "suite_schema",
]

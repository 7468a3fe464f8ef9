"""The catalog of what nbflow itself ships: type name or alias → where the class is. Texts only, nothing imported.

`tests/plugins/test_catalog.py` holds it and the classes together.
"""

from __future__ import annotations

from nbflow.builtin.core import CORE_TASKS
from nbflow.builtin.files import FILES
from nbflow.builtin.naming import CORE, SCRIPTS, named
from nbflow.builtin.programs import PROGRAMS
from nbflow.builtin.systems import SYSTEMS
from nbflow.builtin.triggers import CONDITIONS, TRIGGERS
from nbflow.plugins.catalog import Catalog

_RUNNERS: dict[str, str] = {
    **named(
        "nbflow.runners.process:Process",
        f"{CORE}.runner.Process",
        "process",
        f"{SCRIPTS}.runner.process.Process",
        "io.kestra.core.models.tasks.runners.types.Process",
    ),
    **named(
        "nbflow.runners.docker:Docker",
        f"{SCRIPTS}.runner.docker.Docker",
        "docker",
        f"{SCRIPTS}.runner.docker.DockerTaskRunner",
    ),
}

CATALOG = Catalog(
    tasks={**CORE_TASKS, **PROGRAMS, **FILES, **SYSTEMS}, triggers=TRIGGERS, conditions=CONDITIONS, runners=_RUNNERS
)

__all__ = ["CATALOG"]

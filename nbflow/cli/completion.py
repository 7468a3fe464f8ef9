"""What Tab offers where a name is wanted: flows, namespaces and executions, where that is cheap to know.

Only a home is asked, never a server: a key that is pressed must not wait for the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

_MOST = 50


def complete_flow(incomplete: str) -> list[str]:
    """Names of flows, `namespace.id`."""
    return _offered(incomplete, _flows)


def complete_namespace(incomplete: str) -> list[str]:
    """Namespaces that hold flows."""
    return _offered(incomplete, lambda: dict.fromkeys(name.rpartition(".")[0] for name in _flows()))


def complete_execution(incomplete: str) -> list[str]:
    """Ids of the newest executions."""
    return _offered(incomplete, _executions)


def _flows() -> list[str]:
    from nbflow.settings import Settings
    from nbflow.store import Store

    with Store(Settings.load()) as store:
        return [f"{flow.namespace}.{flow.id}" for flow in store.flows.list()]


def _executions() -> list[str]:
    from nbflow.settings import Settings
    from nbflow.store import Store

    with Store(Settings.load()) as store:
        return [execution.id for execution in store.executions.list(limit=_MOST)]


def _offered(incomplete: str, names: Callable[[], Iterable[str]]) -> list[str]:
    from nbflow.cli.connection import chosen_connection
    from nbflow.errors import NbflowError
    from nbflow.settings import find_home

    if chosen_connection() is not None or not find_home().is_dir():  # asking for names must not make a home
        return []
    try:
        return [name for name in names() if name.startswith(incomplete)][:_MOST]
    except NbflowError:
        return []

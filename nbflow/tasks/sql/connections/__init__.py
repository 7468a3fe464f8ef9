"""Connections to databases, one module per driver; only `tasks.sql` imports them."""

from nbflow.tasks.sql.connections.connection import Connection
from nbflow.tasks.sql.connections.opening import open_connection

__all__ = ["Connection", "open_connection"]

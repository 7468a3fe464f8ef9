"""An Authorizer for Jupyter Server with three roles: viewers look, operators run as well, editors change flows too.

In `jupyter_server_config.py`:

    c.ServerApp.authorizer_class = "roles.ThreeRoles"
    c.ThreeRoles.operators = ["ada"]
    c.ThreeRoles.editors = ["grace"]

Everybody else who is logged in is a viewer. What does not belong to nbflow is allowed as before.
"""

from jupyter_server.auth.authorizer import Authorizer
from traitlets import List, Unicode

VIEWER = {("read", "nbflow")}
OPERATOR = VIEWER | {("execute", "nbflow")}
EDITOR = OPERATOR | {("write", "nbflow")}
ADMINISTRATOR = EDITOR | {("write", "nbflow:admin")}


class ThreeRoles(Authorizer):
    """Says by the name of a user what they may do with flows."""

    operators = List(Unicode(), config=True, help="Names of those who may run flows.")
    editors = List(Unicode(), config=True, help="Names of those who may change flows, too.")
    administrators = List(Unicode(), config=True, help="Names of those who may do everything.")

    def is_authorized(self, handler, user, action, resource):
        if not resource.startswith("nbflow"):
            return True
        return (action, resource) in self.rights_of(user.username)

    def rights_of(self, name):
        if name in self.administrators:
            return ADMINISTRATOR
        if name in self.editors:
            return EDITOR
        return OPERATOR if name in self.operators else VIEWER

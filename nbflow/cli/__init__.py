"""The command line: `nbflow run`, `validate`, `flows`, `executions`, … over the same engine as the notebook.

`main.py` is the entry point; nothing of nbflow imports this package. A module a group of commands. The start must be
quick, so whatever a single command needs is imported inside that command.
"""

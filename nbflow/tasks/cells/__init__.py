"""Cells of a notebook as tasks: what a cell needs and gives, found without running it, and the tasks that run cells.

`cell`, `names`, `scan`, `statements`, `functions`, `plain`, `sql_names`, `notebook_cell`, `plan` and `document` are
pure; the magics use them too. `child` runs in the process of a cell and imports nothing of nbflow.
"""

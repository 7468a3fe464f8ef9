"""The REST API that Kestra's clients know, served by Jupyter Server under `<base_url>api/v1/`.

`extension.py` is what Jupyter loads; nothing of nbflow imports this package. A module a resource: `flows.py`,
`executions.py`, `logs.py`, `outputs.py`, `plugins.py`, `instance.py`; a handler parses, calls the engine and answers.
"""

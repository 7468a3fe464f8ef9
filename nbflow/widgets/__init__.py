"""Views of flows and executions: live widgets, and for each a static twin in HTML and in text.

Faces import from here; widgets know the engine and hold no rules. Everything is imported on first use, because the
command line needs `gantt` alone.
"""

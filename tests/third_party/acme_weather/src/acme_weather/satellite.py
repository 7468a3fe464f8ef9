"""A task type that needs a package which is not installed."""

import a_package_that_is_not_installed  # noqa: F401

from nbflow.plugins import RunnableTask, task_type


@task_type("acme.weather.Satellite")
class Satellite(RunnableTask):
    """Look from above."""

"""Live objects: what tasks put out as the objects that it stands for, and objects of a notebook as inputs.

`ex.outputs.extract.df` is a data frame, `ex.outputs.query["uri"]` the file it lies in; `engine.run(…, inputs={"rows":
df})` takes one. The engine's handle and its start of an execution import this package.
"""

from nbflow.engine.live.files import StoredFile
from nbflow.engine.live.given import handed_in
from nbflow.engine.live.views import Outputs, TaskResult, View

__all__ = ["Outputs", "StoredFile", "TaskResult", "View", "handed_in"]

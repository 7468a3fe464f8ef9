"""The `%%flow` and `%flow` magics: read what the user typed, call the engine, show the outcome.

`%load_ext nbflow` registers them. Nothing heavy is imported before the first flow: loading stays quick.
"""

from nbflow.magics.extension import load_ipython_extension, unload_ipython_extension

__all__ = ["load_ipython_extension", "unload_ipython_extension"]

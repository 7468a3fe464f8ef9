"""What would go wrong with a notebook that runs by itself, found in its text: nothing is run here.

hidden state ── names used before they are defined in order       packages ── imports that are not installed
files ── what it reads and nobody hands over                      secrets ── passwords and keys in the source
"""

from nbflow.tasks.notebooks.checking.checks import Check, check_notebook
from nbflow.tasks.notebooks.checking.finding import Finding

__all__ = ["Check", "Finding", "check_notebook"]

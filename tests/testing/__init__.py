"""Tests of what `nbflow.testing` offers."""

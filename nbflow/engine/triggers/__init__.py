"""Triggers that wait for no clock: webhooks, and those that ask about executions of other flows.

state change ─► listening ─► asking (conditions, windows) ─► firing ─► the engine runs what was recorded
"""

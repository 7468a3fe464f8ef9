"""Time: one engine of a home is the scheduler, fires what is due, looks where triggers poll, and runs backfills.

lease ─► agenda (a heap of next dates) ─► decide (nbflow.scheduler) ─► step and execution in one commit ─► run
"""

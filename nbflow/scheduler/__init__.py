"""When what is due: the dates of schedules, what to do with those that have come, backfills, simulation.

Pure: nothing here awaits, sleeps, reads a clock or touches the history; `now` comes in as an argument. The loop that
acts on these decisions is `nbflow.engine.scheduling`. Only the engine imports this.
"""

"""What things are: flows and their parts as pydantic models, executions and their parts as frozen records.

No I/O, no clock, no await. Every layer above may import it.
"""

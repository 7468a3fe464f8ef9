"""The steps from an older history to the present tables: Alembic revisions, run by `store/schema.py` when needed."""

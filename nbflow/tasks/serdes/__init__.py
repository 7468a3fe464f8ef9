"""Task types that convert stored files from one format to another, record by record.

Where Kestra's flows say Ion, files here are JSON Lines by default: one JSON value a line, which is Ion text as well,
and which DuckDB, pandas and the next task read as it is. With `typed: true` timestamps, decimals and bytes are written
as Ion has them. What reads takes both, binary Ion and Parquet too.
"""

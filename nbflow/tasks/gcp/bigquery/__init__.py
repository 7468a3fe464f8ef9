"""Task types of BigQuery. Imported through the catalog only."""

"""Task types of Google Cloud Storage. Imported through the catalog only."""

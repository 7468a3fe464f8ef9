"""Task types of Amazon S3. Imported through the catalog only."""

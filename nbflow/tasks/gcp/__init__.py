"""Task types of Google Cloud: `gcs` keeps files, `bigquery` runs SQL. Both speak plain REST; no SDK is needed."""

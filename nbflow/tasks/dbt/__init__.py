"""Task types that run dbt, and show its models as task runs of their own."""

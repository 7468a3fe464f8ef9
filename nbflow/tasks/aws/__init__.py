"""Task types of Amazon Web Services: `s3` keeps files, there or in a service that speaks the same."""

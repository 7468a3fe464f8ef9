"""Task types that clone Git repositories, deploy from them and push to them, by the command line of Git."""

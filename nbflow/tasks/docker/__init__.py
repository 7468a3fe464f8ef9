"""Task types that ask a Docker engine. The registry imports their modules by name."""

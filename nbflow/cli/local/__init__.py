"""A home on this machine as a place: the engine of this process."""

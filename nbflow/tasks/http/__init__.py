"""Task types that speak HTTP: ask for something small, or download something large."""

"""Task types that work on files of the internal storage; none holds a whole file in memory."""

"""Task types that pack and unpack stored files; none holds a whole file in memory."""

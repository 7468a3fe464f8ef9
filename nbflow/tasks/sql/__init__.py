"""Task types that ask databases."""

"""Task types that run scripts and commands in a process of their own: Python, shell, Node."""

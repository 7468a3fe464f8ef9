"""A server as a place: its REST API, asked with httpx. Nothing here opens a home."""

"""The server: pages, JSON and a live stream, read only."""

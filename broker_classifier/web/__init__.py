"""The page: the classification topic, an index of it, and what a browser asks of that index."""

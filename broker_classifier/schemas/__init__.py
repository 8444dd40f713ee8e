"""The published forms of a classification."""

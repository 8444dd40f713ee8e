"""Boosted trees on features of a light curve so far."""

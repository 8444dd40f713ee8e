"""Labelled light curves: read from folders or simulated, and split by a hash of their ids."""

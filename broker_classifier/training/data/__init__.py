"""Labelled light curves: reading, typing, splitting and making them."""

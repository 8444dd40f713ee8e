"""Fitting a network and its calibration, and writing the bundle."""

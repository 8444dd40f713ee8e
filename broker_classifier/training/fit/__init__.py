"""Fitting a network and its calibration, epoch by epoch, and writing the bundle."""

"""Simulated ZTF alerts: parametric fits to real light curves, observed anew and put in packets."""

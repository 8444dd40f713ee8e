"""Class probabilities for astronomical transients, from survey alerts as they arrive."""

__version__ = "0.1.0"

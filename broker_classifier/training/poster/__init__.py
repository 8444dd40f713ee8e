"""The poster "Pay attention to the Flare", done again: its data path, protocols, runs and figure.

What it claims can be tested here on any labelled light curves, with its flaws switched on or off.
It stands beside the street: nothing that serves alerts imports it.
"""

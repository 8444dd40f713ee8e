"""Figures, tables and plots of what was judged, as the model card shows them."""

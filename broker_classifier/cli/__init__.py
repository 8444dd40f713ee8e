"""The program `broker-classifier`: every verb of the project."""

"""Gates of provenance: a bundle must know the sky, not who observed it."""

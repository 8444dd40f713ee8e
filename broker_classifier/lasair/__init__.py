"""From our classification topic to Lasair: annotations of the objects that a Lasair holds."""

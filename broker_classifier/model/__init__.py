"""From the points of a light curve to class probabilities; a bundle says how."""

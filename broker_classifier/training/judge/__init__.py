"""What a bundle is worth: answers at every cut, scores and their uncertainties."""

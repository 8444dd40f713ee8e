"""What an annotation says: words, numbers and limits; a pure function of answers."""

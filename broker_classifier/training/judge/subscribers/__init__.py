"""What a subscriber gets of each class: precision and recall in the proportions of the stream."""

"""Light curves of every source as the alert stream would have shown them."""

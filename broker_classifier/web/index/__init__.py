"""The index: every answer of the topic in SQLite, by object, to be listed, filtered and drawn."""

"""The service: receive, sort out, classify, publish, remember, commit; and what watches it."""

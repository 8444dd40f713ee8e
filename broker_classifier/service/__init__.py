"""The service: receive, sort out, classify, publish, store, commit; and its metrics."""

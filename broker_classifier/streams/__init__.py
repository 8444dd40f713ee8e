"""Sources of alerts and sinks of results: Kafka topics, files, lists."""

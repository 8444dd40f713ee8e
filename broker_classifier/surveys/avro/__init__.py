"""The decoding engine: Avro records to columns, by writer schemas compiled to small programs."""

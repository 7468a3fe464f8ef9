"""Task types and triggers of Kafka. They need the extra `kafka` (librdkafka by `confluent-kafka`)."""

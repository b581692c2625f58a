"""All Kafka: the only room that builds clients, the batch loop, topics and lag."""

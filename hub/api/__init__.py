"""JSON answers: profiles, timelines, lag, dead letters, deliveries."""

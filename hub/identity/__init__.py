"""Who is this? Pure functions of values: no clock, no random, no network."""

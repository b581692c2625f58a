"""Rules under load and in bad weather: see bench/README.md."""

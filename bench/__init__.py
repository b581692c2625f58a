"""How fast the hub is, beside two floors on the same bytes. `python -m bench --help`; bench/README.md explains it."""

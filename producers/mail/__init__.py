"""Reading mail: pure, from bytes to one event, whatever somebody's program wrote into them."""

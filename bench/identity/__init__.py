"""People of our own making, and how well the hub tells who is who among them."""

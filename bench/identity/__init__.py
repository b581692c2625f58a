"""Who is who, measured: people of our own making, published data, many writers at once."""

"""Opens and closes everything in order; keeps processes running."""

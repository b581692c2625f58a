"""How well suspected duplicates are found: training of the weights, and their evaluation."""

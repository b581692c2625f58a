"""What should happen? Rules and segments: read, checked, evaluated, told. Pure: values in, values out."""

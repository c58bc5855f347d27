"""A copy of a whole shop in a folder, made while it sells, and a shop made of such a copy."""

"""How fast it is, beside what people would use instead and beside the floor of this machine."""

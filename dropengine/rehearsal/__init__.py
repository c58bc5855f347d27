"""A drop played by simulated people against the real shop, and judged."""

"""The server of the truth: its keys, its scripts, the way to them, and what it must prove."""

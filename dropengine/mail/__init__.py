"""Letters to people: how one is written, and who carries it."""

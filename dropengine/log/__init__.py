"""What a log says, and nothing but the log: the state it rebuilds, the rules it kept or broke."""

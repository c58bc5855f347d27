"""Drop Engine sells a capped edition live: every unit once, in an order anyone can check."""

__version__ = "0.1.0"

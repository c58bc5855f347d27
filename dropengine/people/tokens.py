"""Secrets that somebody carries: 256 bits by chance. Only their hash is kept, and looked up by.

A hash without salt is enough where nobody could have chosen the secret.
"""

from __future__ import annotations

import hashlib
import secrets

BYTES = 32
ID_BYTES = 9
"""Of the ids that people and links see: nobody counts accounts by them."""


def new() -> str:
    """A secret to hand out."""
    return secrets.token_urlsafe(BYTES)


def new_id() -> str:
    """An id that proves nothing."""
    return secrets.token_hex(ID_BYTES)


def hashed(token: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

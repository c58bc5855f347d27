"""Doors of fans who are known: how they sign in, where, and what is theirs."""

"""Histories of money: a real store, real providers, payers as they are, and all that goes wrong."""

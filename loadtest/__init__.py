"""Measurements of the whole stack. They import the package, never the reverse."""

"""The doors of the house, by subject: how requests come in and answers go out."""

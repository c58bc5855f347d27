"""The doors of a web process, by subject: how requests come in and answers go out."""

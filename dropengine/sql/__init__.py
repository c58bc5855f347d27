"""What a shop knows of people, and the books of its sales: SQLite in its directory, or PostgreSQL.

Nothing here decides a sale. When SQL is away selling goes on.
"""

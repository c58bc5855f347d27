"""Web push: how a browser is called whose page is closed, and what is owed to whom."""

"""The processes of a shop: the embedded server, the web processes, and who keeps them alive."""

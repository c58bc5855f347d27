"""What is asked of a payment provider; a folder for each one that answers."""

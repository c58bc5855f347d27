"""What makers enter by hand: bills under references, what was received, what they owe back."""

"""The books of all sales: each drop's log goes to SQL, exactly once, and what is derived from it
with it in the same transaction."""

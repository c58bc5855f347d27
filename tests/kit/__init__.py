"""What tests share: servers, drops, clocks, people, and the oracle."""

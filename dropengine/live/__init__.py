"""One drop on many screens: sockets and seats, the room they are in, what is pushed to them."""

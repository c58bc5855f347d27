"""What goes on by itself in every web process, whether somebody asks or not: a job a file, and
one runner of them all."""

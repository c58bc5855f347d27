"""What goes on by itself in every web process, whether somebody asks or not."""

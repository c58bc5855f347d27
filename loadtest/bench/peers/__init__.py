"""What people would use instead, written as they write it. Each is a process of its own."""

"""Who earns what in an hour: one integer function, its published files, and their verification."""

"""What people read in a terminal: tables and words, shared by commands and the demo."""

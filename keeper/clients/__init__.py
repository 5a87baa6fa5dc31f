"""The programs as the keeper uses them: addresses, instructions, and accounts as typed records."""

"""The command line: ``ionet``."""

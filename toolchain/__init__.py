"""Builds the programs, describes them and keeps their ids: standard library alone."""

"""Third-party clients against the keeper's codec: each from a lock file of its own, on the same cases."""

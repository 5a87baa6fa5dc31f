"""The keeper's jobs: each an idempotent step that may run late, twice, or beside another keeper's."""

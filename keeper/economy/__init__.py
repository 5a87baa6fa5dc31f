"""The protocol's arithmetic as pure integer functions: what the keeper does and an auditor repeats."""

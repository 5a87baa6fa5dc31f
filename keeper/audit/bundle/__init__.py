"""One file with all that an audit reads: what a node answered, and published files; read again offline."""

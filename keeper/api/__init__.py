"""What the keeper serves over HTTP: everything that it published."""

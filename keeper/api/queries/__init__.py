"""What the index is asked, by subject: used by the API and by whatever shows the same to people."""

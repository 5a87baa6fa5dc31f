"""The agent on a device: answers waves and pings, and keeps on disk what it signed before it sends it."""

"""NAT traversal: coturn's configuration, and short-lived credentials for it."""

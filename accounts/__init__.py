"""Who people are. For now there is only the development log-in."""

"""The real-time door: Socket.IO sessions and resume, presence, rooms and room tokens."""

"""What a viewer may ask over the socket, by topic."""

"""What a device said: payload bytes to readings with units, and back."""

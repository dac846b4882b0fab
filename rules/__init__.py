"""What the city should do about it: measurements and ticks to events."""

"""Rules about waste."""

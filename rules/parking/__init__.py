"""Rules about parking."""

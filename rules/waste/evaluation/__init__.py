"""What ways of collecting would cost beside each other: a simulated city, or the log of real tours."""

"""Tours: distances from a routing engine, and planning in a process of its own."""

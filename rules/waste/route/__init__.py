"""Tours: which vehicle empties which containers in which order. Pure; `solve` alone needs PyVRP (extra `routes`)."""

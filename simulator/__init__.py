"""The stand-in for the hardware: a city's devices as ChirpStack events."""

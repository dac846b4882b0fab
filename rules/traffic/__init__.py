"""Rules about traffic: what detectors measured; which signal plan, green wave and bus priority to ask for."""

"""Rules about air, weather, water, ice, noise and trees."""

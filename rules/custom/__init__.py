"""Rules that a city writes itself, without code: conditions in the Common Expression Language."""

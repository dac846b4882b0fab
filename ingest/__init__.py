"""The service: broker in, journal, database and events out."""

-- Run once, on the empty database: ChirpStack searches names by trigrams.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

"""An arterial road in SUMO, and what plan selection is worth on it (extra `sumo`)."""

"""The device models, one file per vendor family."""

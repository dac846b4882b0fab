"""Vendors' codecs from a folder: read, tried, imported, run."""

"""The commands of `stadtfunk`, one file each, and what they share."""

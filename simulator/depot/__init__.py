"""A depot that takes the service's tours at their word: it confirms them, drives them and tells of each stop."""

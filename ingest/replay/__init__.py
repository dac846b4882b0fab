"""Raw messages decoded again, and what that corrects."""

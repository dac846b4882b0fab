"""What happens to a city besides its ordinary life: files of scenarios, and what they change when."""

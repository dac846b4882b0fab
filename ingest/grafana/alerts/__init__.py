"""Grafana's alert rules as code: one description in two languages, built for its HTTP API and its files."""

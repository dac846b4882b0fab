"""Grafana's dashboards as code: one description in two languages, rendered to Grafana's JSON."""

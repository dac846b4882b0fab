"""What Grafana is asked and told over its HTTP API."""

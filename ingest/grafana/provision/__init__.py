"""What Grafana is to have, compared with what it has, and the steps between, over its HTTP API."""

"""What InfluxDB is asked and told beside points: versions, queries, deletions, provisioning."""

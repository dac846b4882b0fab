"""Devices, gateways and assets: records, ledger, lifecycle, assignments."""

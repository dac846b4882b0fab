"""Rules about devices, gateways and the network they make."""

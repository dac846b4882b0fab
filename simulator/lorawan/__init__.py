"""Devices and gateways at the level of LoRaWAN frames, for a network server that checks every bit of them."""

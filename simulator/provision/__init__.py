"""The simulated city entered into a ChirpStack: tenant, applications, profiles, gateways, devices with their keys."""

"""How good the service's decisions were: what it published, held against what was true in the simulated city."""

"""Any codec of the catalog as a device, and what devices do with what is sent to them."""

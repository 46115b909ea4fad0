"""One module per host, named after it. Nobody imports a host."""

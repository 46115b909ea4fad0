"""`python -m fauxserver` is the command too."""

from fauxserver.hosts.cli import main

main()

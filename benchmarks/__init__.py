"""Every figure of the project, measured by one command: `make bench`."""

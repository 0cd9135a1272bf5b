"""What must be fast, measured beside a peer or a ceiling in the same run. `make bench`."""

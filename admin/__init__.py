"""The team's side: members and their keys, the console, the keeper. `python -m admin` is its command line."""

"""The public bot's process: settings, update loop, delivery, downloads, upkeep, wiring. `python -m bot`."""

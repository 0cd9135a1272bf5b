"""The console: where analysts sign in, see the queue, and open reports. `web` is its process, `child` what opens."""

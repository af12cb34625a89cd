"""What is known of a run without being told: code, environment, machine load, failures."""

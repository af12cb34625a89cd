"""Where tracked data is kept."""

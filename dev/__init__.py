"""What helps to change relay; nothing of it is installed with relay."""

"""Pure rules and values: no input, no output."""

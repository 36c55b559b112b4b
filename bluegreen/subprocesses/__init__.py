"""Programs of the user's: run within bounds, in a known environment, and what they print fit to be shown."""

"""Verifies the log of every case, what was signed behind its rows, and that everything follows from them."""

"""Measures relay against its peers on the same machine in the same run; every number is a ratio."""

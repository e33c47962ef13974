"""The targets, by what reads them; each module has them in `TARGETS`."""

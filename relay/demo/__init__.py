"""The script of `make demo`: the main job, done by invented people on real services."""

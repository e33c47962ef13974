"""Probing and transcoding hostile video inside a jail."""

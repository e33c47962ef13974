"""Sealing, statements, links and keyrings."""

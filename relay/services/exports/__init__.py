"""A case in a folder: written, verified without a service, and taken in by another relay."""

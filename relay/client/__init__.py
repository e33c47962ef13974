"""The Python client: every role, headless."""

"""Processes that prepare videos and tidy up; any number of them, on any machine."""

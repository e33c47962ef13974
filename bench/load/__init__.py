"""`make load`: many people at work on one relay for ten minutes, and what they notice of each other."""

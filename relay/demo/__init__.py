"""The main job, played by people of straw on real services: for newcomers to see, for tests to build on."""

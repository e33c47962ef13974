"""A small case system that embeds relay, to read and to copy. Of relay it imports `relay.client` alone."""

"""A small case system that embeds relay, to read and to copy. It imports nothing of relay but `relay.client`."""

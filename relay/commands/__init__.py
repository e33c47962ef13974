"""The subcommands of `relay`."""

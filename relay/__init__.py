"""relay: an asynchronous, end-to-end encrypted message relay with a mediator between the parties."""

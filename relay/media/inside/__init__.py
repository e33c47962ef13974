"""Programs that run in the jail; nothing outside it imports them."""

"""Background workers: transcode and sweep."""

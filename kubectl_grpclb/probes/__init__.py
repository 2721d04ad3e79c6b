"""One file a source: what to ask beside how to read the answer."""

"""One file a vendor: what to ask for and how to read the answer."""

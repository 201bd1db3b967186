"""Wiring: each node names its inputs, calls the domain and returns datasets."""

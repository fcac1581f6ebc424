"""Policies: what a client claims. Frozen values; what cannot be meant is a `PolicyError`."""

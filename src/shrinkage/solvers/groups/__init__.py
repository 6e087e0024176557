"""Penalties on groups of coefficients: block coordinate descent, on the Gram and on working sets."""

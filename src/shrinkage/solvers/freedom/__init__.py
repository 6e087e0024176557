"""Effective degrees of freedom of a solution."""

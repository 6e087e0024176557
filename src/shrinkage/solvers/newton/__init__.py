"""Losses other than the squared one: proximal Newton on working sets."""

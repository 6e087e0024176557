"""Several responses, and penalties that tie the coefficients of a feature together."""

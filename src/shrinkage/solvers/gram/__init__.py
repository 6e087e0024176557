"""The squared loss as a quadratic in the coefficients: coordinate descent, closed forms, local search."""

"""Best subset: which coefficients may be other than 0, found by local search and proved by branch and bound."""

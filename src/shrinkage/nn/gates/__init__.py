"""Hard-concrete gates: from a rule to a parametrisation, a target, and plain weights again."""

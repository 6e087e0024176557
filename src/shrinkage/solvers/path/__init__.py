"""The parametric active set: the path itself, from breakpoint to breakpoint."""

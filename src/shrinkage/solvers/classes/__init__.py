"""Several classes: the multinomial loss."""

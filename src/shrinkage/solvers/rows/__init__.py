"""Problems that keep their rows: the matrix that is never copied, working sets, ridge from the smaller side."""

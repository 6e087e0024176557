"""Two real processes end where one does: data-parallel, and with the weights cut in parts."""

from tests import processes


def test_two_processes():
    processes.spawn(processes.everything)

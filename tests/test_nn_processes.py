"""Two real processes end where one does: data-parallel, and with the weights cut in parts."""

import pytest

from tests import processes


@pytest.mark.parametrize("task", [processes.data_parallel, processes.sharded, processes.refusals])
def test_two_processes(task):
    processes.spawn(task)

"""MindSpore's settings, also where the process has used MindSpore before."""

import subprocess
import sys

SET_UP_LATE = """
import mindspore as ms
from mindflood.errors import UserError
from mindflood.training.context import set_up
(ms.Tensor([1.0]) + 1).asnumpy()
print(set_up("CPU", "pynative", 1), set_up("auto", "graph", None))
try:
    set_up("Ascend", "graph", None)
except UserError as error:
    print(error)
"""


def test_a_device_that_is_already_in_use_is_accepted_and_no_other():
    done = subprocess.run([sys.executable, "-c", SET_UP_LATE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    chosen, refused = done.stdout.splitlines()
    assert chosen == "CPU CPU"
    assert refused.startswith("device: MindSpore has no Ascend here")

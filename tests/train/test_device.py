import subprocess
import sys

CODE = """
import logging
import sys
import torch
from wsss.train.device import prepare_device
logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
device = prepare_device(threads=1)
print(device.type, torch.get_num_threads(), torch.is_deterministic_algorithms_warn_only_enabled())
print("torch._inductor" in sys.modules)
"""


def test_algorithms_are_deterministic_and_the_compiler_stays_out():
    # In a process of its own: another test may have imported the compiler.
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    device, threads, deterministic, compiler = done.stdout.split()
    assert device in ("cpu", "cuda")
    assert (threads, deterministic, compiler) == ("1", "True", "False")
    assert done.stderr.startswith("wsss.train.device: computes on ")

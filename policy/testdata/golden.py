"""Writes golden.safetensors with the reference implementation of the format:

    python3 golden.py golden.safetensors
"""

import sys

import numpy
from safetensors.numpy import save_file

save_file(
    {
        "policy/weights": numpy.arange(6, dtype=numpy.float32).reshape(2, 3) / 4 - 0.5,
        "policy/biases": numpy.array([1e-38, -3.5, numpy.inf], dtype=numpy.float32),
        "scale": numpy.array(0.1, dtype=numpy.float32),
        "empty": numpy.zeros((0, 3), dtype=numpy.float32),
    },
    sys.argv[1],
    metadata={"order": '["policy/weights","policy/biases","scale","empty"]', "made by": "Python"},
)

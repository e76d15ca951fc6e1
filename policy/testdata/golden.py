"""Writes golden.safetensors and golden_bfloat16.safetensors with the reference
implementation of the format (and ml_dtypes, for numpy's bfloat16):

    python3 golden.py FOLDER
"""

import pathlib
import sys

import ml_dtypes
import numpy
from safetensors.numpy import save_file

folder = pathlib.Path(sys.argv[1])
save_file(
    {
        "policy/weights": numpy.arange(6, dtype=numpy.float32).reshape(2, 3) / 4 - 0.5,
        "policy/biases": numpy.array([1e-38, -3.5, numpy.inf], dtype=numpy.float32),
        "scale": numpy.array(0.1, dtype=numpy.float32),
        "empty": numpy.zeros((0, 3), dtype=numpy.float32),
    },
    folder / "golden.safetensors",
    metadata={"order": '["policy/weights","policy/biases","scale","empty"]', "made by": "Python"},
)
save_file(
    {
        "norm": numpy.array([0.1, 1 / 3], dtype=numpy.float32),
        "dense": numpy.array([[0.1, -2.5, 1 + 3 / 256], [3e38, -numpy.inf, 0]], dtype=ml_dtypes.bfloat16),
    },
    folder / "golden_bfloat16.safetensors",
    metadata={"order": '["norm","dense"]', "made by": "Python"},
)

"""Reads a safetensors file with the reference implementation, prints what it
holds, and writes it again: python3 rewrite.py IN OUT"""

import sys

from safetensors import safe_open
from safetensors.numpy import load_file, save_file

source, target = sys.argv[1:]
tensors = load_file(source)
for name in sorted(tensors):
    print(name, list(tensors[name].shape), tensors[name].dtype, float(tensors[name].sum()))
with safe_open(source, framework="numpy") as file:
    save_file(tensors, target, metadata=file.metadata())

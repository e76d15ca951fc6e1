"""Gradient steps and network calls a second: JAX and Agon, side by side on the CPU.

    pip install -r experiments/peers/jax/requirements.txt
    python experiments/peers/jax/updater.py [--seconds 0.5] [--repeats 5] [--json]

Both train two networks on states of leduc_poker's size: PPO's loss with entropy, value and
magnet, a bound on the gradient's norm, Adam (ppo.py). A step takes a batch that lies in the
host's memory, new in every call, and ends when its statistics are there; the weights and
Adam's moments stay on the device, in JAX in donated buffers. A network call takes states from
the host and brings logits and values back. `JAX, not waiting` reads statistics after the last
step alone, so that a step begins while the one before is under way; ratios are to JAX's other
figure, which does what Agon does.

JAX and Agon (`agon bench`, which measures every backend that works here) take turns within
every repeat, and medians are printed. Let nothing else run.
"""

import argparse
import itertools
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import jax
import numpy as np

import ppo

ROOT = pathlib.Path(__file__).resolve().parents[3]
NETWORKS = [(128, 128), (512, 512, 512)]
ROWS = [1, 32, 1024]
WIDTH, ACTIONS = 30, 3  # of leduc_poker
BATCHES = 8  # that take turns


def batches(rows):
    """Batches as a trainer hands them over: arrays of numpy."""
    r = np.random.default_rng(rows)

    def normal(*shape):
        return r.standard_normal(shape, np.float32)

    return [
        (normal(rows, WIDTH), np.ones((rows, ACTIONS), np.float32), r.integers(0, ACTIONS, rows, np.int32),
         np.full(rows, -np.log(ACTIONS), np.float32), normal(rows), np.zeros(rows, np.float32), np.ones(rows, np.float32))
        for _ in range(BATCHES)
    ]


def rate(call, seconds, finish=lambda _: None):
    """Calls a second of a function that is compiled by its first call."""
    finish(call())
    began, calls = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        last = call()
        calls += 1
    finish(last)
    return calls / (time.perf_counter() - began)


class Jax:
    """JAX's side of one network and batch size, compiled once."""

    def __init__(self, hidden, rows):
        self.params = ppo.draw(jax.random.key(1), WIDTH, hidden, ACTIONS)
        self.state = ppo.start([p + 0 for p in self.params])
        self.update = jax.jit(ppo.update, donate_argnums=0)
        self.forward = jax.jit(ppo.forward)
        self.batches = itertools.cycle(batches(rows))
        self.coefficients = np.array([1e-3, 0, 0, 0], np.float32)

    def step(self):
        self.state, stats = self.update(self.state, next(self.batches), self.coefficients)
        return stats

    def measure(self, seconds):
        return {
            "update": rate(lambda: np.asarray(self.step()), seconds),
            "update, not waiting": rate(self.step, seconds, np.asarray),
            "inference": rate(lambda: [np.asarray(x) for x in self.forward(self.params, next(self.batches)[0])], seconds),
        }


def agon(program, hidden, seconds):
    """Agon's side of one network: {(what, backend, rows): calls a second}."""
    command = [program, "bench", "--only", "inference,update", "--hidden", ",".join(map(str, hidden)), "--seconds", str(seconds), "--json"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = map(json.loads, out.splitlines())
    return {(x["name"], x["backend"], x["rows"]): x["per_second"] for x in lines}


def measure(program, seconds, repeats):
    """{(network, rows, what, who): rates}"""
    peers = {(hidden, rows): Jax(hidden, rows) for hidden in NETWORKS for rows in ROWS}
    found = {}
    for _ in range(repeats):
        for hidden in NETWORKS:
            for rows in ROWS:
                for what, x in peers[hidden, rows].measure(seconds).items():
                    found.setdefault((hidden, rows, what, "jax"), []).append(x)
            for (what, backend, rows), x in agon(program, hidden, seconds).items():
                found.setdefault((hidden, rows, what, backend), []).append(x)
    return found


def figure(x):
    return f"{x:,.0f}" if x >= 10 else f"{x:.2g}"


def table(found, what):
    """One table of medians as Markdown."""
    backends = [b for b in ("xla:cpu", "go") if any(who == b for *_, who in found)]
    waits = [f"{what}, not waiting"] if what == "update" else []
    head = ["network", "rows", "JAX", *(["JAX, not waiting"] if waits else [])]
    head += [cell for b in backends for cell in (f"Agon {b}", "ratio")]
    print(f"\n{what}, calls a second\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for hidden, rows in itertools.product(NETWORKS, ROWS):
        jaxs = [statistics.median(found[hidden, rows, w, "jax"]) for w in [what, *waits]]
        cells = ["-".join(map(str, hidden)), f"{rows:,}", *map(figure, jaxs)]
        for b in backends:
            x = statistics.median(found[hidden, rows, what, b])
            cells += [figure(x), f"{x / jaxs[0]:.2f}"]
        print(f"| {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement (default 0.5)")
    parser.add_argument("--repeats", type=int, default=5, help="medians are of so many (default 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a rate instead of tables")
    args = parser.parse_args()
    jax.config.update("jax_platforms", "cpu")
    with tempfile.TemporaryDirectory() as folder:
        program = str(pathlib.Path(folder) / "agon")
        subprocess.run(["go", "build", "-o", program, "./cmd/agon"], cwd=ROOT, check=True)
        found = measure(program, args.seconds, args.repeats)
    if args.json:
        for (hidden, rows, what, who), rates in found.items():
            print(json.dumps({"hidden": hidden, "rows": rows, "name": what, "who": who, "per_second": rates}))
        return
    for what in ("update", "inference"):
        table(found, what)


if __name__ == "__main__":
    main()

"""Solvers side by side on one machine: OpenSpiel's C++, LiteEFG and Agon.

    pip install open_spiel LiteEFG
    python experiments/peers/openspiel/bench_solve.py [--seconds 1] [--repeats 5]

Iterations of CFR and CFR+ a second on Leduc poker, and how long it takes to
measure the exploitability of uniform play in liar's dice from nothing: Agon
compiles the game anew each time, as OpenSpiel walks it. All take turns within
every repeat, so that what else the machine does falls on all. One of OpenSpiel's
iterations updates both players in turn, as Agon's does; one of LiteEFG's updates
both at once. Agon is timed by BenchmarkMethod and BenchmarkExploitability in
package solve.
"""

import argparse
import contextlib
import io
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

import LiteEFG
import pyspiel
from LiteEFG.baselines import CFR, CFRplus

ROOT = pathlib.Path(__file__).resolve().parents[3]


def rate(step, seconds):
    """Steps a second."""
    count, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        step()
        count += 1
    return count / took


def lite(module):
    with contextlib.redirect_stdout(io.StringIO()):
        env = LiteEFG.OpenSpielEnv(pyspiel.load_game("leduc_poker"), traverse_type="Enumerate", regenerate=True)
        graph = module.graph()
        env.set_graph(graph)

    def step():
        graph.update_graph(env)
        env.update_strategy(graph.current_strategy(), update_best=False)

    return step


def agon(program, benchmark, seconds):
    """Nanoseconds of one operation."""
    pattern = "/".join(f"^{re.escape(part)}$" for part in benchmark.split("/"))
    out = subprocess.run(
        [program, "-test.run=^$", f"-test.bench={pattern}", f"-test.benchtime={seconds}s"],
        cwd=ROOT / "solve", env={**os.environ, "GOMAXPROCS": "1"}, check=True, capture_output=True, text=True,
    ).stdout
    found = re.findall(r"([\d.e+]+) ns/op", out)
    if len(found) != 1:
        raise SystemExit(f"expected one figure for {benchmark}, found {len(found)} in:\n{out}")
    return float(found[0])


def exploitability():
    game = pyspiel.load_game("liars_dice")
    pyspiel.exploitability(game, pyspiel.UniformRandomPolicy(game))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1, help="of each measurement (default 1)")
    parser.add_argument("--repeats", type=int, default=5, help="medians are of so many (default 5)")
    args = parser.parse_args()
    leduc = pyspiel.load_game("leduc_poker")
    with tempfile.TemporaryDirectory() as folder:
        program = str(pathlib.Path(folder) / "solve.test")
        subprocess.run(["go", "test", "-c", "-o", program, "./solve"], cwd=ROOT, check=True)
        contests = {
            "Leduc, CFR iterations/s": {
                "OpenSpiel C++": lambda: rate(pyspiel.CFRSolver(leduc).evaluate_and_update_policy, args.seconds),
                "LiteEFG": lambda: rate(lite(CFR), args.seconds),
                "Agon": lambda: 1e9 / agon(program, "BenchmarkMethod/leduc_poker/cfr", args.seconds),
            },
            "Leduc, CFR+ iterations/s": {
                "OpenSpiel C++": lambda: rate(pyspiel.CFRPlusSolver(leduc).evaluate_and_update_policy, args.seconds),
                "LiteEFG": lambda: rate(lite(CFRplus), args.seconds),
                "Agon": lambda: 1e9 / agon(program, "BenchmarkMethod/leduc_poker/cfr+", args.seconds),
            },
            "liar's dice, exploitability, calls/s": {
                "OpenSpiel C++": lambda: rate(exploitability, 0.1),
                "Agon": lambda: 1e9 / agon(program, "BenchmarkExploitability/liars_dice", args.seconds),
            },
        }
        figures = {what: {name: [] for name in sides} for what, sides in contests.items()}
        for _ in range(args.repeats):
            for what, sides in contests.items():
                for name, measure in sides.items():
                    figures[what][name].append(measure())
    print("| what | by | median [lowest-highest] of repeats | Agon is faster by |")
    print("| --- | --- | --- | --- |")
    for what, sides in figures.items():
        ours = statistics.median(sides["Agon"])
        for name, x in sides.items():
            ratio = "" if name == "Agon" else f"{ours / statistics.median(x):.1f}"
            print(f"| {what} | {name} | {statistics.median(x):,.2f} [{min(x):,.2f}-{max(x):,.2f}] | {ratio} |")


if __name__ == "__main__":
    main()

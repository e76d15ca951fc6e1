"""Simulations a second of UCT on one core: OpenSpiel's C++ and Agon, side by side.

    pip install open_spiel
    python experiments/peers/openspiel/bench_mcts.py [--seconds 1] [--repeats 5] [--json]

Both search the first move, c = √2, with one random game a simulation, 1,000
simulations a search, and take turns within every repeat. Agon is timed by
BenchmarkUCT in package mcts.
"""

import argparse
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

import pyspiel

ROOT = pathlib.Path(__file__).resolve().parents[3]
GAMES = ["tic_tac_toe", "connect_four", "chess"]
SIMULATIONS = 1000


def open_spiel(name, seconds):
    """Simulations a second of OpenSpiel."""
    game = pyspiel.load_game(name)
    state = game.new_initial_state()
    simulations = SIMULATIONS if name != "chess" else 100
    evaluator = pyspiel.RandomRolloutEvaluator(1, 1)
    bot = pyspiel.MCTSBot(game, evaluator, math.sqrt(2), simulations, 1000, False, 1, False)
    made, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        bot.mcts_search(state)
        made += simulations
    return made / (time.perf_counter() - began)


def agon(program, name, seconds):
    """Simulations a second of Agon."""
    out = subprocess.run(
        [program, "-test.run=^$", f"-test.bench=^BenchmarkUCT$/^{name}$", f"-test.benchtime={seconds}s"],
        cwd=ROOT / "mcts", env={**os.environ, "GOMAXPROCS": "1"},
        check=True, capture_output=True, text=True,
    ).stdout
    found = re.findall(r"([\d.e+]+) sims/s", out)
    if len(found) != 1:
        raise SystemExit(f"expected one figure of sims/s for {name}, found {len(found)} in:\n{out}")
    return float(found[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1, help="of each measurement (default 1)")
    parser.add_argument("--repeats", type=int, default=5, help="medians are of so many (default 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a game")
    args = parser.parse_args()
    theirs, ours = {g: [] for g in GAMES}, {g: [] for g in GAMES}
    with tempfile.TemporaryDirectory() as folder:
        program = str(pathlib.Path(folder) / "mcts.test")
        subprocess.run(["go", "test", "-c", "-o", program, "./mcts"], cwd=ROOT, check=True)
        for _ in range(args.repeats):
            for game in GAMES:
                theirs[game].append(open_spiel(game, args.seconds))
                ours[game].append(agon(program, game, args.seconds))
    if not args.json:
        print("| game | OpenSpiel C++, simulations/s | Agon, simulations/s | ratio of medians |")
        print("| --- | --- | --- | --- |")
    for game in GAMES:
        a, b = theirs[game], ours[game]
        ratio = statistics.median(b) / statistics.median(a)
        if args.json:
            print(json.dumps({"name": "uct", "game": game, "openspiel": a, "agon": b, "ratio": ratio}))
        else:
            cells = [f"{statistics.median(x):,.0f} [{min(x):,.0f}-{max(x):,.0f}]" for x in (a, b)]
            print(f"| {game} | {cells[0]} | {cells[1]} | {ratio:.1f} |")


if __name__ == "__main__":
    main()

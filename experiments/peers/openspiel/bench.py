"""Random playouts a second on one core: OpenSpiel's C++ and Agon, side by side.

    pip install open_spiel
    python experiments/peers/openspiel/bench.py [--seconds 1] [--repeats 5] [--json] [GAME ...]

Both play from the same state, the card games from after the deal, and take
turns within every repeat, so that what else the machine does falls on both, and
what is counted is the time of the processor, not of the clock.
OpenSpiel's rollouts are not open to Python by themselves; a search of one
simulation does nothing but its evaluator's rollouts from the root, so that is
what is timed. Agon is timed by BenchmarkPlayout in package play.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import tempfile
import time

import pyspiel

ROOT = pathlib.Path(__file__).resolve().parents[3]

# game: (actions to the state played from, name of Agon's benchmark). Simultaneous
# moves are hidden moves in turn on both sides.
GAMES = {
    "tic_tac_toe": ([], "tic_tac_toe"),
    "kuhn_poker": ([0, 1], "kuhn_poker_dealt"),
    "leduc_poker": ([0, 2], "leduc_poker_dealt"),
    "connect_four": ([], "connect_four"),
    "liars_dice": ([2, 4], "liars_dice_dealt"),
    "dark_hex": ([], "dark_hex"),
    "phantom_ttt": ([], "phantom_ttt"),
    "hex": ([], "hex"),
    "nim": ([], "nim"),
    "pig": ([], "pig"),
    "goofspiel(num_cards=6,points_order=descending)": ([], "goofspiel"),
    "othello": ([], "othello"),
    "breakthrough": ([], "breakthrough"),
    "chess": ([], "chess"),
    "blotto": ([], "blotto"),
    "matrix_rps": ([], "matrix"),
}


def open_spiel(name, actions, seconds):
    """Playouts a second of OpenSpiel."""
    game = pyspiel.load_game_as_turn_based(name)
    state = game.new_initial_state()
    for action in actions:
        state.apply_action(action)
    rollouts = 10
    while True:
        evaluator = pyspiel.RandomRolloutEvaluator(rollouts, 1)
        bot = pyspiel.MCTSBot(game, evaluator, 1.4, 1, 1000, False, 1, False)
        began = time.process_time()
        bot.mcts_search(state)
        took = time.process_time() - began
        if took >= seconds / 2:
            return rollouts / took
        rollouts = int(rollouts * min(100, 1.1 * seconds / took))


def agon(program, benchmark, seconds):
    """Playouts a second of Agon."""
    pattern = "/".join(f"^{part}$" for part in ["BenchmarkPlayout", *benchmark.split("/")])

    def took(playouts):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run(
            [program, "-test.run=^$", f"-test.bench={pattern}", f"-test.benchtime={playouts}x"],
            cwd=ROOT / "play", env={**os.environ, "GOMAXPROCS": "1"},
            check=True, capture_output=True, text=True,
        ).stdout
        if len(re.findall("games/s", out)) != 1:
            raise SystemExit(f"expected one benchmark {benchmark}:\n{out}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    playouts, start = 100, took(1)  # the program's start is no playout
    while (net := took(playouts) - start) < seconds / 2:
        playouts = int(playouts * min(100, 1.1 * seconds / max(net, seconds / 100)))
    return playouts / net


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("games", metavar="GAME", nargs="*", choices=[[], *GAMES], help="which games (default all)")
    parser.add_argument("--seconds", type=float, default=1, help="of each measurement (default 1)")
    parser.add_argument("--repeats", type=int, default=5, help="medians are of so many (default 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a game")
    args = parser.parse_args()
    chosen = args.games or list(GAMES)
    theirs, ours = {g: [] for g in chosen}, {g: [] for g in chosen}
    with tempfile.TemporaryDirectory() as folder:
        program = str(pathlib.Path(folder) / "play.test")
        subprocess.run(["go", "test", "-c", "-o", program, "./play"], cwd=ROOT, check=True)
        for _ in range(args.repeats):
            for game in chosen:
                actions, benchmark = GAMES[game]
                theirs[game].append(open_spiel(game, actions, args.seconds))
                ours[game].append(agon(program, benchmark, args.seconds))
    if not args.json:
        print("| game | OpenSpiel C++, games/s | Agon, games/s | ratio of medians |")
        print("| --- | --- | --- | --- |")
    for game in chosen:
        a, b = theirs[game], ours[game]
        ratio = statistics.median(b) / statistics.median(a)
        if args.json:
            print(json.dumps({"name": "playouts", "game": game, "openspiel": a, "agon": b, "ratio": ratio}))
        else:
            cells = [f"{statistics.median(x):,.0f} [{min(x):,.0f}-{max(x):,.0f}]" for x in (a, b)]
            print(f"| {game} | {cells[0]} | {cells[1]} | {ratio:.1f} |")


if __name__ == "__main__":
    main()

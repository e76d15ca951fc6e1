"""Records seeded random playthroughs of OpenSpiel's games as golden files.

    pip install open_spiel
    python scripts/openspiel/record.py games/testdata           all games below
    python scripts/openspiel/record.py games/testdata othello   those named

Each file is gzipped JSON lines, one playthrough a line:
  {"game", "actions": [id, ...],                    chance outcomes included
   "steps": [{"turn", "legal": [id, ...],           one a node, the last included
              "names": [text, ...],                 parallel to legal
              "odds": [p, ...],                     at chance nodes
              "keys": [text, ...],                  information state by seat
              "ones": [[i, ...], ...]}],            where its tensor is 1, by seat
   "returns": [x, ...]}
"keys" are left out where OpenSpiel has no information state strings or they
differ from ours by design (dark_hex's hold a count of moves, which is cut out),
"ones" but for the card games whose tensors are
OpenSpiel's. Simultaneous moves are recorded as hidden moves in turn.
"""

import gzip
import io
import json
import pathlib
import random
import re
import sys

import pyspiel

GAMES = {  # playthroughs, and what is left out
    "kuhn_poker": (1000, ""),
    "kuhn_poker(players=3)": (1000, ""),
    "kuhn_poker(players=10)": (200, ""),
    "leduc_poker": (1000, ""),
    "tic_tac_toe": (1000, "ones"),
    "connect_four": (1000, "ones"),
    "connect_four(rows=4,columns=5,x_in_row=3)": (200, "ones"),
    "liars_dice": (1000, ""),
    "liars_dice(dice_sides=3,numdice=2)": (200, ""),
    "goofspiel(imp_info=true,num_cards=4,points_order=descending)": (1000, "keys ones"),
    "goofspiel(num_cards=5,returns_type=point_difference)": (200, "keys ones"),
    "dark_hex": (1000, "count ones"),
    "dark_hex(gameversion=adh)": (200, "count ones"),
    "dark_hex(board_size=2,obstype=reveal-numturns)": (200, "ones"),
    "phantom_ttt": (1000, "ones"),
    "phantom_ttt(gameversion=abrupt)": (200, "ones"),
    "phantom_ttt(obstype=reveal-numturns)": (200, "ones"),
    "othello": (1000, "keys ones"),
    "hex": (100, "keys ones"),
    "hex(board_size=5)": (1000, "keys ones"),
    "breakthrough": (100, "keys ones"),
    "breakthrough(columns=5,rows=6)": (1000, "keys ones"),
    "nim": (1000, "keys ones"),
    "nim(is_misere=false,pile_sizes=3;4;5)": (200, "keys ones"),
    "pig(horizon=100,winscore=30)": (1000, "keys ones"),
    "battleship(board_height=2,board_width=2,num_shots=3,ship_sizes=[1;2],ship_values=[1.0;2.0])": (1000, "keys ones"),
    "blotto(coins=5)": (200, "keys ones"),
}


def step(state, seats, without):
    turn = state.current_player()
    if state.is_chance_node():
        legal, odds = zip(*state.chance_outcomes())
        out = {"turn": turn, "legal": list(legal), "odds": list(odds)}
    else:
        out = {"turn": turn, "legal": state.legal_actions()}
    out["names"] = [state.action_to_string(turn, a) for a in out["legal"]]
    if "keys" not in without:
        out["keys"] = [state.information_state_string(s) for s in range(seats)]
        if "count" in without:
            out["keys"] = [re.sub(r"\n\d+\n", "\n", key) for key in out["keys"]]
    if "ones" not in without:
        planes = [state.information_state_tensor(s) for s in range(seats)]
        assert all(x in (0.0, 1.0) for p in planes for x in p)
        out["ones"] = [[i for i, x in enumerate(p) if x] for p in planes]
    return out


def playthrough(name, game, rng, without):
    state, actions, steps = game.new_initial_state(), [], []
    while True:
        steps.append(step(state, game.num_players(), without))
        if state.is_terminal():
            return {"game": name, "actions": actions, "steps": steps, "returns": state.returns()}
        actions.append(rng.choice(steps[-1]["legal"]))
        state.apply_action(actions[-1])


def main(folder, wanted):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (count, without) in GAMES.items():
        if wanted and name.split("(")[0] not in wanted:
            continue
        rng, game, text = random.Random(1), pyspiel.load_game(name), io.StringIO()
        if game.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
            game = pyspiel.convert_to_turn_based(game)
        for _ in range(count):
            print(json.dumps(playthrough(name, game, rng, without), separators=(",", ":")), file=text)
        file = re.sub("[^a-z0-9_=.-]+", "-", name).strip("-")
        path = folder / (file + ".jsonl.gz")
        path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
        print(f"{path}: {count} playthroughs, {path.stat().st_size} bytes")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])

"""Records seeded random playthroughs of OpenSpiel's games as golden files.

    pip install open_spiel
    python testdata/openspiel/record.py games/testdata           all games below
    python testdata/openspiel/record.py games/testdata othello   those named

Each file is gzipped JSON lines, one playthrough a line:
  {"game", "actions": [id, ...],                    chance outcomes included
   "steps": [{"turn", "legal": [id, ...],           one a node, the last included
              "names": [text, ...],                 parallel to legal
              "odds": [p, ...],                     at chance nodes
              "keys": [text, ...],                  information state by seat
              "set": n,                             number of the information state
              "ones": [[i, ...], ...]}],            where its tensor is 1, by seat
   "sum": n,                                        in place of steps
   "returns": [x, ...]}
"keys" are there where OpenSpiel's information state strings are ours too
(dark_hex's hold a count of moves, which is cut out). Where they are other texts
for the same, "set" numbers those of the seats to move as they come up in the
file. Neither is there for breakthrough and pig, which have no such strings in
OpenSpiel, and for goofspiel with open bids, where its strings forget which card
was bid when and ours do not. "ones" are there for the card games whose tensors are OpenSpiel's. Of games
with many moves only the first 25 are written out: then "sum" is the CRC-32 of
the lines "turn|id id ...|name name ...|set". Simultaneous moves are recorded as
hidden moves in turn.
"""

import gzip
import hashlib
import io
import json
import pathlib
import random
import re
import sys
import zlib

import pyspiel

PLAYTHROUGHS = 1000
WRITTEN_OUT = 25  # of games with "sums"
GAMES = {  # what is recorded besides turns, actions, odds and returns
    "kuhn_poker": "keys ones",
    "kuhn_poker(players=3)": "keys ones",
    "kuhn_poker(players=10)": "keys ones",
    "leduc_poker": "keys ones",
    "leduc_poker(players=3)": "keys ones",
    "leduc_poker(players=10)": "keys ones sums",
    "leduc_poker(suit_isomorphism=true)": "keys ones",
    "leduc_poker(players=4,suit_isomorphism=true)": "keys ones sums",
    "tic_tac_toe": "keys",
    "connect_four": "keys",
    "connect_four(rows=4,columns=5,x_in_row=3)": "keys",
    "liars_dice": "keys ones",
    "liars_dice(dice_sides=3,numdice=2)": "keys ones",
    "liars_dice(numdice=5)": "keys ones",
    "goofspiel(imp_info=true,num_cards=4,points_order=descending)": "sets",
    "goofspiel(num_cards=5,returns_type=point_difference)": "",
    "goofspiel": "",
    "dark_hex": "keys count",
    "dark_hex(gameversion=adh)": "keys count",
    "dark_hex(board_size=2,obstype=reveal-numturns)": "keys",
    "phantom_ttt": "keys",
    "phantom_ttt(gameversion=abrupt)": "keys",
    "phantom_ttt(obstype=reveal-numturns)": "keys",
    "othello": "sets sums",
    "hex": "sets sums",
    "hex(board_size=5)": "sets sums",
    "breakthrough": "sums",
    "breakthrough(columns=5,rows=6)": "sums",
    "nim": "sets",
    "nim(is_misere=false,pile_sizes=3;4;5)": "sets",
    "pig": "",
    "pig(horizon=100,winscore=30)": "",
    "blotto": "sets",
    "blotto(coins=5)": "sets",
    "chess": "sets sums",
}


def step(state, seats, parts, sets):
    turn = state.current_player()
    if state.is_chance_node():
        legal, odds = zip(*state.chance_outcomes())
        out = {"turn": turn, "legal": list(legal), "odds": list(odds)}
    else:
        out = {"turn": turn, "legal": state.legal_actions()}
    out["names"] = [state.action_to_string(turn, a) for a in out["legal"]]
    if "keys" in parts:
        out["keys"] = [state.information_state_string(s) for s in range(seats)]
        if "count" in parts:
            out["keys"] = [re.sub(r"\n\d+\n", "\n", key) for key in out["keys"]]
    if "sets" in parts and turn >= 0:
        key = turn, hashlib.sha256(state.information_state_string(turn).encode()).digest()
        out["set"] = sets.setdefault(key, len(sets) + 1)
    if "ones" in parts:
        planes = [state.information_state_tensor(s) for s in range(seats)]
        assert all(x in (0.0, 1.0) for p in planes for x in p)
        out["ones"] = [[i for i, x in enumerate(p) if x] for p in planes]
    return out


def checksum(steps):
    sum = 0
    for s in steps:
        fields = s["turn"], " ".join(map(str, s["legal"])), " ".join(s["names"]), s.get("set", 0)
        sum = zlib.crc32(("|".join(map(str, fields)) + "\n").encode(), sum)
    return sum


def playthrough(game, rng, parts, sets):
    state, actions, steps = game.new_initial_state(), [], []
    while True:
        steps.append(step(state, game.num_players(), parts, sets))
        if state.is_terminal():
            return {"actions": actions, "steps": steps, "returns": state.returns()}
        actions.append(rng.choice(steps[-1]["legal"]))
        state.apply_action(actions[-1])


def main(folder, wanted):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, parts in GAMES.items():
        if wanted and name.split("(")[0] not in wanted:
            continue
        rng, game, text, sets = random.Random(1), pyspiel.load_game(name), io.StringIO(), {}
        if game.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
            game = pyspiel.convert_to_turn_based(game)
        for i in range(PLAYTHROUGHS):
            out = {"game": name, **playthrough(game, rng, parts.split(), sets)}
            if "sums" in parts and i >= WRITTEN_OUT:
                out["sum"] = checksum(out.pop("steps"))
            print(json.dumps(out, separators=(",", ":")), file=text)
        file = re.sub("[^a-z0-9_=.-]+", "-", name).strip("-")
        path = folder / (file + ".jsonl.gz")
        path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
        print(f"{path}: {PLAYTHROUGHS} playthroughs, {path.stat().st_size} bytes", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])

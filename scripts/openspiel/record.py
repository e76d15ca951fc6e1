"""Records seeded random playthroughs of OpenSpiel's games as golden files.

    pip install open_spiel
    python scripts/openspiel/record.py games/testdata

Each file is gzipped JSON lines, one playthrough a line:
  {"game", "actions": [id, ...],                    chance outcomes included
   "steps": [{"turn", "legal": [id, ...],           one a node, the last included
              "names": [text, ...],                 parallel to legal
              "odds": [p, ...],                     at chance nodes
              "keys": [text, ...],                  information state by seat
              "ones": [[i, ...], ...]}],            where its tensor is 1, by seat
   "returns": [x, ...]}
"ones" is left out for the boards, whose tensors differ from OpenSpiel's.
"""

import gzip
import io
import json
import pathlib
import random
import sys

import pyspiel

GAMES = {
    "kuhn_poker": 1000,
    "kuhn_poker(players=3)": 1000,
    "kuhn_poker(players=10)": 200,
    "leduc_poker": 1000,
    "tic_tac_toe": 1000,
    "connect_four": 200,
    "connect_four(rows=4,columns=5,x_in_row=3)": 200,
}


def step(state, seats, tensors):
    turn = state.current_player()
    if state.is_chance_node():
        legal, odds = zip(*state.chance_outcomes())
        out = {"turn": turn, "legal": list(legal), "odds": list(odds)}
    else:
        out = {"turn": turn, "legal": state.legal_actions()}
    out["names"] = [state.action_to_string(turn, a) for a in out["legal"]]
    out["keys"] = [state.information_state_string(s) for s in range(seats)]
    if tensors:
        planes = [state.information_state_tensor(s) for s in range(seats)]
        assert all(x in (0.0, 1.0) for p in planes for x in p)
        out["ones"] = [[i for i, x in enumerate(p) if x] for p in planes]
    return out


def playthrough(name, game, rng):
    state, actions, steps = game.new_initial_state(), [], []
    tensors = game.get_type().provides_information_state_tensor
    while True:
        steps.append(step(state, game.num_players(), tensors))
        if state.is_terminal():
            return {"game": name, "actions": actions, "steps": steps, "returns": state.returns()}
        actions.append(rng.choice(steps[-1]["legal"]))
        state.apply_action(actions[-1])


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in GAMES.items():
        rng, game, text = random.Random(1), pyspiel.load_game(name), io.StringIO()
        for _ in range(count):
            print(json.dumps(playthrough(name, game, rng), separators=(",", ":")), file=text)
        path = folder / (name.replace("(", "-").replace(")", "").replace(",", "-") + ".jsonl.gz")
        path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
        print(f"{path}: {count} playthroughs, {path.stat().st_size} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

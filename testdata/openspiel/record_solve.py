"""Records OpenSpiel's exact measures of games for the tests of package solve.

    pip install open_spiel
    python testdata/openspiel/record_solve.py > solve/testdata/openspiel.json

"policies" are pseudo-random: the weight of an action is
fnv1a32("SALT KEY ACTION") % 8, plus 1 where all weights of the information
state are zero; probabilities are in proportion. "cfr" is NashConv of the
average policy after each number of iterations.
"""

import json

import pyspiel
from open_spiel.python import policy as policies
from open_spiel.python.algorithms import exploitability, expected_game_score

POLICIES = {"kuhn_poker": 5, "leduc_poker": 3, "kuhn_poker(players=3)": 3}
CFR = {"kuhn_poker": [1, 2, 10, 100, 1000], "leduc_poker": [1, 2, 10, 100], "kuhn_poker(players=3)": [1, 2, 10, 100]}
SOLVERS = {"cfr": pyspiel.CFRSolver, "cfr+": pyspiel.CFRPlusSolver}


def fnv1a32(text):
    h = 0x811C9DC5
    for b in text.encode():
        h = (h ^ b) * 0x01000193 % 2**32
    return h


class Pseudorandom(policies.Policy):
    def __init__(self, game, salt):
        super().__init__(game, list(range(game.num_players())))
        self.salt = salt

    def action_probabilities(self, state, player_id=None):
        player, legal = state.current_player(), state.legal_actions()
        key = state.information_state_string(player)
        weights = [fnv1a32(f"{self.salt} {key} {state.action_to_string(player, a)}") % 8 for a in legal]
        if not any(weights):
            weights = [1] * len(legal)
        return {a: w / sum(weights) for a, w in zip(legal, weights)}


def measure(name, salt):
    game = pyspiel.load_game(name)
    policy = Pseudorandom(game, salt)
    seats = range(game.num_players())
    value = expected_game_score.policy_value(game.new_initial_state(), [policy] * len(seats))
    best = [float(exploitability.best_response(game, policy, s)["best_response_value"]) for s in seats]
    conv = exploitability.nash_conv(game, policy)
    return {"game": name, "salt": salt, "value": [float(v) for v in value], "best_response": best, "nash_conv": float(conv)}


def sequence(name, method):
    game = pyspiel.load_game(name)
    solver, done, out = SOLVERS[method](game), 0, []
    for n in CFR[name]:
        for _ in range(n - done):
            solver.evaluate_and_update_policy()
        done = n
        out.append({"iterations": n, "nash_conv": pyspiel.nash_conv(game, solver.average_policy())})
    return {"game": name, "method": method, "sequence": out}


print(json.dumps({
    "policies": [measure(g, salt) for g, n in POLICIES.items() for salt in range(n)],
    "cfr": [sequence(g, m) for g in CFR for m in SOLVERS],
}, indent=1))

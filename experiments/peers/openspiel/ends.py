"""How good OpenSpiel's UCT is at tic-tac-toe, as it is and with ends explored.

    pip install open_spiel
    python experiments/peers/openspiel/ends.py

OpenSpiel scores a move that ends the game by its outcome, without a bonus for
exploring it, also with its solver off, and picks such a move by its outcome in the
end. Printed is the share of all 4,520 positions in which the move found keeps the
game's value, for its Python version as it is and with ends treated like all other
moves (docs/lab/search.md).
"""

import math

import numpy
import pyspiel
from open_spiel.python.algorithms import mcts

GAME = pyspiel.load_game("tic_tac_toe")


class Plain(mcts.SearchNode):
    """The rule without what it does for ends."""

    def uct_value(self, parent_explore_count, uct_c):
        if self.explore_count == 0:
            return math.inf
        return self.total_reward / self.explore_count + uct_c * math.sqrt(math.log(parent_explore_count) / self.explore_count)

    def sort_key(self):
        return self.explore_count, self.total_reward


def solve(state, values, states):
    key = str(state)
    if key not in values:
        if state.is_terminal():
            values[key] = state.returns()[0]
        else:
            states.append(state)
            below = [solve(state.child(a), values, states) for a in state.legal_actions()]
            values[key] = max(below) if state.current_player() == 0 else min(below)
    return values[key]


def main():
    values, states = {}, []
    solve(GAME.new_initial_state(), values, states)
    original = mcts.SearchNode
    for simulations in (25, 50):
        for name, node in (("as it is", original), ("ends explored", Plain)):
            mcts.SearchNode = node
            random = numpy.random.RandomState(1)
            kept = 0
            for state in states:
                bot = mcts.MCTSBot(
                    GAME, math.sqrt(2), simulations, mcts.RandomRolloutEvaluator(1, random),
                    solve=False, random_state=random, child_selection_fn=node.uct_value)
                best = bot.mcts_search(state).best_child().action
                kept += values[str(state.child(best))] == values[str(state)]
            print(f"{simulations} simulations, {name}: {kept / len(states):.3f} of {len(states)}", flush=True)


if __name__ == "__main__":
    main()

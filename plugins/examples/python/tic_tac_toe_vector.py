"""Tic-tac-toe on numpy arrays: many states a step.

A state is 10 bytes: the cells that were taken, in order, 9 where none was yet, and
how many there were.
"""

import agon_game
import numpy as np

ROWS = np.array([(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)])
LINES = np.array([sum(1 << cell for cell in row) for row in ROWS], dtype=np.int32)
WON = np.array([any(board & line == line for line in LINES) for board in range(512)])  # by the set of a seat's cells
BITS = np.array([1 << cell for cell in range(9)] + [0], dtype=np.int64)
CELLS = 1 << np.arange(9)
SEATS = np.array([[1, 0] * 4 + [1], [0, 1] * 4 + [0]]).T  # who took the cell that was taken at each time


def boards(states):
    """The sets of cells of both seats."""
    both = BITS[states[:, :9]] @ SEATS
    return both[:, 0], both[:, 1]


class TicTacToe(agon_game.VectorGame):
    name = "tic_tac_toe"
    roles = ("first", "second")
    actions = max_length = 9
    tensor = (3, 3, 3)

    def start(self):
        return np.array([9] * 9 + [0], dtype=np.uint8)

    def step(self, states, actions):
        out = states.copy()
        n = np.arange(len(out))
        out[n, out[:, 9]] = actions
        out[:, 9] += 1
        return out

    def turns(self, states):
        x, o = boards(states)
        over = WON[x] | WON[o] | (states[:, 9] == 9)
        return np.where(over, agon_game.OVER, states[:, 9].astype(np.int32) & 1)

    def legal(self, states):
        x, o = boards(states)
        return ((x | o)[:, None] & CELLS) == 0

    def returns(self, states):
        x, o = boards(states)
        first = WON[x].astype(np.float64) - WON[o]
        return np.stack([first, 0 - first], axis=1)

    def observe(self, states, seats):
        x, o = boards(states)
        mine, other = np.where(seats == 0, x, o), np.where(seats == 0, o, x)
        planes = [(board[:, None] & CELLS) != 0 for board in (mine, other)]
        planes.append(~(planes[0] | planes[1]))
        return np.stack(planes, axis=1).astype(np.float32).reshape(-1, 3, 3, 3)

    def say(self, state, action):
        return f"{'xo'[state[9] & 1]}({action // 3},{action % 3})"

    def prompt(self, state, seat):
        return f"Tic-tac-toe. You are {'xo'[seat]}. Moves so far: {state[: state[9]].tolist()}"


if __name__ == "__main__":
    agon_game.serve(TicTacToe)

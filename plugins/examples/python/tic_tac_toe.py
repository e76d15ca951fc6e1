"""Tic-tac-toe in ordinary methods. Keys and tensors are Agon's own."""

import agon_game

ROWS = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))
THROUGH = [[row for row in ROWS if cell in row] for cell in range(9)]


class TicTacToe(agon_game.Game):
    name = "tic_tac_toe"
    roles = ("first", "second")
    actions = max_length = 9
    tensor = (3, 3, 3)

    def __init__(self) -> None:
        self.board = [2] * 9  # whose stone, 2 for none
        self.moves: list[int] = []
        self.won = False

    def turn(self) -> int:
        return agon_game.OVER if self.won or len(self.moves) == 9 else len(self.moves) & 1

    def legal(self) -> list[int]:
        return [cell for cell, stone in enumerate(self.board) if stone == 2]

    def apply(self, action: int) -> None:
        board, mine = self.board, len(self.moves) & 1
        board[action] = mine
        self.moves.append(action)
        self.won = any(board[a] == board[b] == board[c] == mine for a, b, c in THROUGH[action])

    def returns(self) -> list[float]:
        if not self.won:
            return [0, 0]
        return [1, -1] if len(self.moves) & 1 else [-1, 1]

    def key(self, seat: int) -> str:
        return ", ".join(map(str, self.moves))

    def observe(self, seat: int) -> list[list[list[float]]]:
        order = (seat, 1 - seat, 2)
        return [[[float(self.board[3 * row + column] == stone) for column in range(3)] for row in range(3)] for stone in order]

    def prompt(self, seat: int) -> str:
        rows = ("".join("xo."[stone] for stone in self.board[i : i + 3]) for i in (0, 3, 6))
        return f"Tic-tac-toe. You are {'xo'[seat]}.\n" + "\n".join(rows) + f"\nMoves so far: {self.moves}"

    def say(self, action: int) -> str:
        return f"{'xo'[len(self.moves) & 1]}({action // 3},{action % 3})"


if __name__ == "__main__":
    agon_game.serve(TicTacToe)

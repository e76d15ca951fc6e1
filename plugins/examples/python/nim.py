"""Nim with one heap: take one to three sticks; who takes the last one wins."""

import agon_game


class Nim(agon_game.Game):
    name = "nim_heap"
    summary = "One heap of sticks: take one to three, who takes the last one wins"
    roles = ("first", "second")
    actions = 4  # action n takes n sticks

    def __init__(self, sticks: int = 11) -> None:
        self.left, self.mover, self.taken = sticks, 0, []
        self.max_length = sticks
        self.tensor = (sticks + 1,)

    def turn(self) -> int:
        return self.mover if self.left else agon_game.OVER

    def legal(self) -> list[int]:
        return [n for n in (1, 2, 3) if n <= self.left]

    def apply(self, action: int) -> None:
        self.left -= action
        self.taken.append(action)
        self.mover = 1 - self.mover

    def returns(self) -> list[float]:
        return [1, -1] if self.mover == 1 else [-1, 1]

    def key(self, seat: int) -> str:
        return " ".join(map(str, self.taken))

    def observe(self, seat: int) -> list[float]:
        return [float(n == self.left) for n in range(self.tensor[0])]

    def prompt(self, seat: int) -> str:
        return f"Players take 1 to 3 sticks in turn; who takes the last one wins. {self.left} are left."

    def say(self, action: int) -> str:
        return f"take {action}"


if __name__ == "__main__":
    agon_game.serve(Nim)

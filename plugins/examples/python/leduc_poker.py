"""Leduc hold'em for two. Keys and tensors are Agon's own."""

import agon_game

FOLD, CALL, RAISE = range(3)


class LeducPoker(agon_game.Game):
    name = "leduc_poker"
    roles = ("first", "second")
    actions = 3
    max_length = 8
    min_return, max_return = -13, 13
    chance = hidden = recall = True
    tensor = (30,)

    def __init__(self) -> None:
        self.cards: list[int] = []  # the first seat's, the second's, the public one
        self.rounds: list[list[int]] = [[], []]
        self.round = 0
        self.stakes = [1, 1]
        self.mover = agon_game.CHANCE
        self.last = 0
        self.folded = False

    def turn(self) -> int:
        return self.mover

    def legal(self) -> list[int]:
        if self.mover == agon_game.CHANCE:
            return [card for card in range(6) if card not in self.cards]
        owes = self.stakes[0] != self.stakes[1]
        raises = self.rounds[self.round].count(RAISE)
        return [FOLD] * owes + [CALL] + [RAISE] * (raises < 2)

    def odds(self) -> list[float]:
        left = 6 - len(self.cards)
        return [1 / left] * left

    def apply(self, action: int) -> None:
        if self.mover == agon_game.CHANCE:
            self.cards.append(action)
            if len(self.cards) >= 2:
                self.mover = 0
            return
        me, other = self.mover, 1 - self.mover
        turns = self.rounds[self.round]
        turns.append(action)
        self.last, self.mover = me, other
        if action == FOLD:
            self.folded, self.mover = True, agon_game.OVER
        elif action == RAISE:
            self.stakes[me] = self.stakes[other] + (2 << self.round)
        else:
            self.stakes[me] = self.stakes[other]
            if len(turns) > 1:  # a call ends the round unless it opens it
                self.mover = agon_game.OVER if self.round else agon_game.CHANCE
                self.round = 1

    def strength(self, seat: int) -> int:
        rank = self.cards[seat] // 2
        return 6 if rank == self.cards[2] // 2 else rank

    def first(self) -> int:
        """What the first player has won."""
        if self.folded:
            return -self.stakes[0] if self.last == 0 else self.stakes[1]
        mine, other = self.strength(0), self.strength(1)
        return self.stakes[1] if mine > other else -self.stakes[0] if mine < other else 0

    def returns(self) -> list[float]:
        return [float(self.first()), float(-self.first())]

    def key(self, seat: int) -> str:
        private = self.cards[seat] if seat < len(self.cards) else -10000
        player, pot = self.mover, sum(self.stakes)
        left = [100 - stake for stake in self.stakes]
        if self.mover == agon_game.OVER:
            won = self.first()
            player, pot, left = self.last, 0, [100 + won, 100 - won]
        public = f"[Public: {self.cards[2]}]" if len(self.cards) > 2 else ""
        rounds = "".join(f"[Round{i + 1}: {' '.join(map(str, turns))}]" for i, turns in enumerate(self.rounds))
        return (
            f"[Observer: {seat}][Private: {private}][Round {self.round + 1}][Player: {player}]"
            f"[Pot: {pot}][Money: {left[0]} {left[1]}]{public}{rounds}"
        )

    def observe(self, seat: int) -> list[float]:
        out = [0.0] * 30
        out[seat] = 1
        if seat < len(self.cards):
            out[2 + self.cards[seat]] = 1
        if len(self.cards) > 2:
            out[8 + self.cards[2]] = 1
        for i, turns in enumerate(self.rounds):
            for turn, action in enumerate(turns):
                if action != FOLD:
                    out[14 + 2 * (4 * i + turn) + action - 1] = 1
        return out

    def prompt(self, seat: int) -> str:
        card = self.cards[seat] if seat < len(self.cards) else "not dealt yet"
        public = self.cards[2] if len(self.cards) > 2 else "not turned up yet"
        return f"Leduc hold'em. You are player {seat}. Your card: {card}. Public card: {public}. Actions so far: {self.rounds}."

    def say(self, action: int) -> str:
        return f"Chance outcome:{action}" if self.mover == agon_game.CHANCE else ("Fold", "Call", "Raise")[action]


if __name__ == "__main__":
    agon_game.serve(LeducPoker)

"""Kuhn poker for two: cards 0 to 2, one bet. Keys and tensors are Agon's own."""

import agon_game

BET = 1


class KuhnPoker(agon_game.Game):
    name = "kuhn_poker"
    roles = ("first", "second")
    actions = 2  # 0 passes, 1 bets
    max_length = 3
    min_return, max_return = -2, 2
    chance = hidden = recall = True
    tensor = (11,)

    def __init__(self) -> None:
        self.cards: list[int] = []
        self.bets: list[int] = []

    def turn(self) -> int:
        if len(self.cards) < 2:
            return agon_game.CHANCE
        if self.bets in ([0, 0], [0, 1, 0], [0, 1, 1], [1, 0], [1, 1]):
            return agon_game.OVER
        return len(self.bets) % 2

    def legal(self) -> list[int]:
        if len(self.cards) < 2:
            return [card for card in range(3) if card not in self.cards]
        return [0, 1]

    def apply(self, action: int) -> None:
        (self.cards if len(self.cards) < 2 else self.bets).append(action)

    def returns(self) -> list[float]:
        stakes = [1 + (BET in self.bets[seat::2]) for seat in (0, 1)]
        if stakes[0] != stakes[1]:
            winner = stakes.index(2)
        else:
            winner = int(self.cards[1] > self.cards[0])
        won = float(stakes[1 - winner])
        return [won, -won] if winner == 0 else [-won, won]

    def key(self, seat: int) -> str:
        card = str(self.cards[seat]) if seat < len(self.cards) else ""
        return card + "".join("pb"[bet] for bet in self.bets)

    def observe(self, seat: int) -> list[float]:
        out = [0.0] * 11
        out[seat] = 1
        if seat < len(self.cards):
            out[2 + self.cards[seat]] = 1
        for turn, bet in enumerate(self.bets):
            out[5 + 2 * turn + bet] = 1
        return out

    def prompt(self, seat: int) -> str:
        card = self.cards[seat] if seat < len(self.cards) else "not dealt yet"
        said = ", ".join("Pass Bet".split()[bet] for bet in self.bets) or "nothing"
        return f"Kuhn poker, cards 0 to 2. You are player {seat}. Your card: {card}. So far: {said}. Pass or Bet?"

    def say(self, action: int) -> str:
        return f"Deal:{action}" if len(self.cards) < 2 else ("Pass", "Bet")[action]


if __name__ == "__main__":
    agon_game.serve(KuhnPoker)

"""TextArena's own Kuhn poker, one round, with its deals as listed chance.

So it can be held against Agon's: agon plugin check 'plugin:python textarena_kuhn.py'
--against kuhn_poker. The seat that begins is seat 0, pass and bet are 0 and 1; cards
are dealt by overwriting those that the environment drew.
"""

import agon_game
from textarena.envs.KuhnPoker.env import KuhnPokerEnv


class TextArenaKuhn(agon_game.Game):
    name = "textarena_kuhn"
    actions = 2
    max_length = 3
    min_return, max_return = -2, 2
    chance = hidden = True
    tensor = (1,)

    def __init__(self) -> None:
        self.cards: list[int] = []
        self.bets = ""
        self.env = KuhnPokerEnv(max_rounds=1)
        self.env.reset(num_players=2, seed=0)
        self.begins = self.env.state.current_player_id

    def turn(self) -> int:
        if len(self.cards) < 2:
            return agon_game.CHANCE
        return agon_game.OVER if self.env.state.done else int(self.env.state.current_player_id != self.begins)

    def legal(self) -> list[int]:
        return [card for card in range(3) if card not in self.cards] if len(self.cards) < 2 else [0, 1]

    def apply(self, action: int) -> None:
        state = self.env.state
        if len(self.cards) < 2:
            self.cards.append(action)
            if len(self.cards) == 2:
                state.game_state["player_cards"] = {self.begins: self.cards[0], 1 - self.begins: self.cards[1]}
            return
        open_ = state.game_state["current_legal_action_tree"]
        self.bets += "pb"[action]
        self.env.step(f"[{[word for word in ('check', 'fold', 'bet', 'call') if word in open_][action]}]")

    def returns(self) -> list[float]:
        return [float(self.env.state.rewards[seat]) for seat in (self.begins, 1 - self.begins)]

    def key(self, seat: int) -> str:
        return (str(self.cards[seat]) if seat < len(self.cards) else "") + self.bets

    def observe(self, seat: int) -> list[float]:
        return [0.0]


if __name__ == "__main__":
    agon_game.serve(TextArenaKuhn)

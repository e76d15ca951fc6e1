"""An agent for Kuhn poker that plays an equilibrium, the one that bluffs most."""

import agon_game

JACK, QUEEN, KING = "0", "1", "2"  # as information states begin; what was played follows: p or b


def betting(card: str, played: str) -> float:
    """The chance to bet, or to call."""
    if card == KING:
        return 1
    if card == JACK:
        return 0 if "b" in played else 1 / 3
    return {"b": 1 / 3, "pb": 2 / 3}.get(played, 0)


def act(q: agon_game.Question) -> int:
    key = q.key.decode()
    return 1 if q.random.random() < betting(key[0], key[1:]) else 0


if __name__ == "__main__":
    agon_game.serve_agent(act)

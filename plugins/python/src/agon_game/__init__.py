"""Games and agents in Python for Agon.

Write a class with ordinary methods and serve it::

    import agon_game

    class Nim(agon_game.Game):
        ...

    agon_game.serve(Nim)

A game of numpy arrays that steps many states at once is a VectorGame.

An agent is a function from a question to an action, or to words that hold one::

    agon_game.serve_agent(lambda q: q.random.choice(q.actions))
"""

from ._agent import Decision, Question
from ._game import CHANCE, OVER, Game, IllegalAction
from ._serve import serve, serve_agent
from ._vector import VectorGame

__all__ = ["CHANCE", "OVER", "Decision", "Game", "IllegalAction", "Question", "VectorGame", "serve", "serve_agent"]
__version__ = "0.1.0"

"""Games in Python for Agon.

Write a class with ordinary methods and serve it::

    import agon_game

    class Nim(agon_game.Game):
        ...

    agon_game.serve(Nim)

A game of numpy arrays that steps many states at once is a VectorGame.
"""

from ._game import CHANCE, OVER, Game, IllegalAction
from ._serve import serve
from ._vector import VectorGame

__all__ = ["CHANCE", "OVER", "Game", "IllegalAction", "VectorGame", "serve"]
__version__ = "0.1.0"

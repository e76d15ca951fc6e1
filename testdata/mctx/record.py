"""Record searches by mctx on small random games, for mcts/mctx_test.go.

    pip install mctx
    python testdata/mctx/record.py > mcts/testdata/mctx.json

A game is a complete tree: node n's child by action a is n·actions + 1 + a, players
alternate, and nodes marked as ends pay `result` to the player who moved there.
Logits and values, to the player to move, are drawn from a seed. mctx sees two
players by a discount of -1, and an end by a reward, a discount of 0 and a value
of 0. Recorded are the root's visits by muzero_policy without Dirichlet noise, and
visits, action and action weights by gumbel_muzero_policy without Gumbel noise.
"""

import importlib.metadata
import json

import jax
import jax.numpy as jnp
import mctx
import numpy as np

SIMULATIONS = [1, 2, 5, 16, 50, 100]


def draw(rng, actions, depth):
    """A random game as arrays by node."""
    count = sum(actions**d for d in range(depth + 1))
    level = np.zeros(count, int)
    for n in range(1, count):
        level[n] = level[(n - 1) // actions] + 1
    end = (level == depth) | ((level >= 2) & (rng.random(count) < 0.15))
    return {
        "actions": actions,
        "logits": rng.normal(size=(count, actions)).astype(np.float32),
        "value": rng.uniform(-0.9, 0.9, count).astype(np.float32),
        "end": end,
        "result": rng.choice([-1.0, 0.0, 1.0], count).astype(np.float32),
    }


def search(game, simulations, considered):
    """The two policies' searches of a game."""
    logits, value = jnp.asarray(game["logits"]), jnp.asarray(game["value"])
    end, result = jnp.asarray(game["end"]), jnp.asarray(game["result"])

    def step(params, key, action, node):
        over = end[node]
        child = jnp.where(over, node, jnp.minimum(node * game["actions"] + 1 + action, len(end) - 1))
        stops = end[child]
        out = mctx.RecurrentFnOutput(
            reward=jnp.where(over, 0.0, jnp.where(stops, result[child], 0.0)),
            discount=jnp.where(stops, 0.0, -1.0),
            prior_logits=logits[child],
            value=jnp.where(stops, 0.0, value[child]),
        )
        return out, child

    root = mctx.RootFnOutput(prior_logits=logits[:1], value=value[:1], embedding=jnp.zeros(1, int))
    key = jax.random.PRNGKey(1)
    muzero = mctx.muzero_policy((), key, root, step, simulations, dirichlet_fraction=0.0, temperature=1.0)
    gumbel = mctx.gumbel_muzero_policy((), key, root, step, simulations, max_num_considered_actions=considered, gumbel_scale=0.0)
    return {
        "simulations": simulations,
        "considered": considered,
        "muzero": muzero.search_tree.summary().visit_counts[0].astype(int).tolist(),
        "gumbel": gumbel.search_tree.summary().visit_counts[0].astype(int).tolist(),
        "action": int(gumbel.action[0]),
        "weights": [round(float(w), 7) for w in gumbel.action_weights[0]],
    }


def main():
    rng = np.random.default_rng(1)
    games = []
    for actions, depth in [(2, 5), (3, 4), (4, 3), (5, 3)]:
        for _ in range(3):
            game = draw(rng, actions, depth)
            searches = [search(game, n, considered) for n in SIMULATIONS for considered in ([16] if n != 50 else [2, 4, 16])]
            games.append({
                "actions": actions,
                "logits": [[round(float(x), 7) for x in row] for row in game["logits"]],
                "value": [round(float(x), 7) for x in game["value"]],
                "end": game["end"].tolist(),
                "result": game["result"].tolist(),
                "searches": searches,
            })
    versions = {name: importlib.metadata.version(name) for name in ("mctx", "jax")}
    print(json.dumps({"versions": versions, "games": games}, separators=(",", ":")))


if __name__ == "__main__":
    main()

"""Simulations a second of mctx's Gumbel MuZero search over pgx, without a network.

    pip install mctx pgx 'jax[cpu]'
    python experiments/peers/mctx/bench.py && go test ./mcts -run xxx -bench Gumbel

256 trees of tic-tac-toe and connect four in a batch, 64 simulations each, uniform
priors and the value 0 at every leaf: what is measured is the search and the rules.
"""

import time

import jax
import jax.numpy as jnp
import mctx
import pgx

TREES, SIMULATIONS, SECONDS = 256, 64, 3


def measure(name):
    env = pgx.make(name)
    step = jax.vmap(env.step)

    def recurrent(_params, _key, action, state):
        mover = state.current_player
        state = step(state, action)
        reward = jnp.take_along_axis(state.rewards, mover[:, None], axis=1)[:, 0]
        over = state.terminated
        return mctx.RecurrentFnOutput(
            reward=reward, discount=jnp.where(over, 0.0, -1.0),
            prior_logits=jnp.where(state.legal_action_mask, 0.0, -1e9), value=jnp.zeros(TREES),
        ), state

    @jax.jit
    def search(key, state):
        root = mctx.RootFnOutput(prior_logits=jnp.zeros((TREES, env.num_actions)), value=jnp.zeros(TREES), embedding=state)
        return mctx.gumbel_muzero_policy(
            params=(), rng_key=key, root=root, recurrent_fn=recurrent, num_simulations=SIMULATIONS,
            invalid_actions=~state.legal_action_mask,
        ).action

    state = jax.vmap(env.init)(jax.random.split(jax.random.PRNGKey(0), TREES))
    search(jax.random.PRNGKey(1), state).block_until_ready()  # compiles
    count, began = 0, time.time()
    while time.time() - began < SECONDS:
        search(jax.random.PRNGKey(count), state).block_until_ready()
        count += 1
    return count * TREES * SIMULATIONS / (time.time() - began)


for game in ("tic_tac_toe", "connect_four"):
    print(f"mctx over pgx, {game}: {measure(game):,.0f} simulations/s on {jax.devices()[0].platform}")

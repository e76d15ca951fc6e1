"""The network, the loss and the optimizer of Agon's policy gradient, in JAX.

The formulas are those of policy/arch.go, policy/model.go, objective/gradient.go and
trainer/updater.go, with the uniform magnet; that both give the same weights is a test
of package trainer, by what record.py wrote.
"""

import jax
import jax.numpy as jnp

CLIP = 0.2  # of the ratio
BETA1, BETA2, EPSILON, CLIP_NORM = 0.9, 0.999, 1e-8, 1.0  # trainer.Defaults


def shapes(width, hidden, actions):
    """The tensors of a network: weights and biases of the layers, the policy and the value."""
    sizes = [width, *hidden]
    layers = [*zip(sizes, sizes[1:]), (sizes[-1], actions), (sizes[-1], 1)]
    return [shape for i, o in layers for shape in ((i, o), (o,))]


def draw(key, width, hidden, actions):
    """Weights to start from: He's scale in the layers, a small one in the heads."""
    out = []
    for i, shape in enumerate(shapes(width, hidden, actions)):
        key, own = jax.random.split(key)
        scale = 0 if len(shape) == 1 else (2 / shape[0]) ** 0.5 if i < 2 * len(hidden) else 0.01
        out.append(scale * jax.random.normal(own, shape, jnp.float32))
    return out


def forward(params, states):
    """States [rows, width] to logits [rows, actions] and values [rows]."""
    x, heads = states, params[-4:]
    for w, b in zip(params[:-4:2], params[1:-4:2]):
        x = jax.nn.relu(x @ w + b)
    return x @ heads[0] + heads[1], (x @ heads[2] + heads[3])[:, 0]


def log_softmax(logits, mask):
    """Log-probabilities, with those of illegal actions far down."""
    return jax.nn.log_softmax(logits * mask + (mask - 1) * 1e9)


def loss(params, batch, coefficients):
    """The loss of a batch and its statistics, in the order of objective.StatNames."""
    states, mask, action, behaviour, advantage, target, weight = batch
    entropy_weight, magnet_weight, value_weight = coefficients[1], coefficients[2], coefficients[3]
    count = weight.sum()

    def mean(x):
        return (x * weight).sum() / count

    logits, values = forward(params, states)
    log_probs = log_softmax(logits, mask)
    log_ratio = (log_probs * jax.nn.one_hot(action, mask.shape[1])).sum(-1) - behaviour
    ratio = jnp.exp(log_ratio)
    bounded = jnp.clip(ratio, 1 - CLIP, 1 + CLIP)
    policy_loss = -mean(jnp.minimum(ratio * advantage, bounded * advantage))
    entropies = -(jnp.exp(log_probs) * mask * log_probs * mask).sum(-1)
    entropy, magnet_kl = mean(entropies), mean(jnp.log(mask.sum(-1)) - entropies)
    value_loss = 0.5 * mean((values - target) ** 2)
    total = policy_loss + value_weight * value_loss - entropy_weight * entropy + magnet_weight * magnet_kl
    behaviour_kl, clipped = mean(ratio - 1 - log_ratio), mean((ratio != bounded).astype(jnp.float32))
    return total, (total, policy_loss, value_loss, entropy, magnet_kl, behaviour_kl, clipped)


def start(params):
    """The state of training: steps, weights, Adam's moments."""
    zeros = [jnp.zeros_like(p) for p in params]
    return jnp.float32(0), params, zeros, [jnp.zeros_like(p) for p in params]


def update(state, batch, coefficients, beta1=BETA1):
    """One step of Adam on the gradient, clipped to a global norm.

    batch: states, mask, action, behaviour, advantage, target, weight, all of one row a turn.
    coefficients: the learning rate and the weights of entropy, magnet and value.
    """
    steps, params, first, second = state
    gradients, stats = jax.grad(loss, has_aux=True)(params, batch, coefficients)
    norm = jnp.sqrt(sum((g**2).sum() for g in gradients))
    shrink = jnp.minimum(CLIP_NORM / (norm + 1e-6), 1)
    steps += 1
    correct1, correct2 = 1 - beta1**steps, 1 - BETA2**steps
    new = ([], [], [])
    for p, m, v, g in zip(params, first, second, gradients):
        g = g * shrink
        m = beta1 * m + (1 - beta1) * g
        v = BETA2 * v + (1 - BETA2) * g**2
        p = p - coefficients[0] * (m / correct1) / (jnp.sqrt(v / correct2) + EPSILON)
        for to, x in zip(new, (p, m, v)):
            to.append(x)
    return (steps, *new), jnp.stack([*stats, norm])

"""Records losses of older TRL, in which formulas differ or objectives have since gone.

    pip install torch trl==0.19.1 'transformers<4.54'
    python testdata/trl/record_old.py > objective/testdata/trl-0.19.json

    pip install torch trl==1.0.0
    python testdata/trl/record_old.py > objective/testdata/trl-1.0.json

0.19 has smoothed labels in sigmoid, a shift of rewards in bco_pair, another α in
its α-divergence, aot_pair, and a stand-in for exo_pair's smoothing of 0; 1.0 still
has XPO. Cases are as in record.py. An answer that is also the third one of XPO has
both gradients in one number: third_is names it.
"""

import json
import random
import warnings
from types import SimpleNamespace

warnings.simplefilter("ignore")

import torch  # noqa: E402
import trl  # noqa: E402

torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double  # casts to float32 are left out

ACCELERATOR = SimpleNamespace(device="cpu", use_distributed=False, gather_for_metrics=lambda x: x)


def old_cases():
    from trl import DPOTrainer
    from trl.trainer.dpo_trainer import RunningMoments

    def run(policy, reference, n, loss_type, beta, smoothing=0.0, divergence="reverse_kl", alpha=None):
        trainer = SimpleNamespace(
            accelerator=ACCELERATOR, reference_free=False, f_divergence_type=divergence, loss_type=loss_type, beta=beta, label_smoothing=smoothing,
            f_divergence_params={} if alpha is None else {"alpha_divergence_coef": alpha}, running=RunningMoments(ACCELERATOR),
            args=SimpleNamespace(discopop_tau=0.05),
        )
        losses, _, _ = DPOTrainer.dpo_loss(trainer, policy[:n], policy[n : 2 * n], reference[:n], reference[n : 2 * n])
        return losses.mean()

    for beta in (0.1, 1.5):
        for name, settings, arguments in (
            ("sigmoid", {"label_smoothing": 0.2}, ("sigmoid", beta, 0.2)),
            ("robust", {"label_smoothing": 0.2}, ("robust", beta, 0.2)),
            ("exo_pair", {"label_smoothing": 0.2, "trl": "0.19"}, ("exo_pair", beta, 0.2)),
            ("exo_pair", {"label_smoothing": 0, "trl": "0.19"}, ("exo_pair", beta, 0.0)),
            ("bco_pair", {"trl": "0.19"}, ("bco_pair", beta)),
            ("sppo_hard", {}, ("sppo_hard", beta)),
            ("nca_pair", {}, ("nca_pair", beta)),
            ("aot_pair", {"label_smoothing": 0.1}, ("aot_pair", beta, 0.1)),
            ("aot", {"label_smoothing": 0.1}, ("aot", beta, 0.1)),
            ("apo_zero", {}, ("apo_zero", beta)),
            ("apo_down", {}, ("apo_down", beta)),
            ("discopop", {}, ("discopop", beta)),
            ("f-dpo", {"divergence": "js"}, ("sigmoid", beta, 0.0, "js_divergence")),
            ("f-dpo", {"divergence": "alpha", "alpha_divergence_coef": 0.4}, ("sigmoid", beta, 0.0, "alpha_divergence", 0.4)),
            ("f-dpo", {"divergence": "alpha", "alpha_divergence_coef": 1.0}, ("sigmoid", beta, 0.0, "alpha_divergence")),
            ("hinge", {"f_divergence_type": "js_divergence"}, ("hinge", beta, 0.0, "js_divergence")),
            ("ipo", {"normalize": False}, ("ipo", beta)),
        ):
            yield name, {"beta": beta, **settings}, lambda p, r, n, a=arguments: run(p, r, n, *a), None


def xpo_cases():
    from trl.experimental.xpo import XPOTrainer

    def run(policy, reference, n, beta, alpha, chosen):
        trainer = SimpleNamespace(beta=beta, alpha=alpha, args=SimpleNamespace(loss_type="sigmoid"))
        own, others = (slice(0, n), slice(n, 2 * n)) if chosen else (slice(n, 2 * n), slice(0, n))
        mask = torch.full((n,), chosen)
        rows = [x[s][:, None] for x, s in ((policy, own), (policy, others), (reference, others), (reference, own))]
        return XPOTrainer._compute_losses(trainer, *rows, mask)[0]

    for beta, alpha in ((0.1, 1e-5), (0.5, 0.7)):
        for chosen in (True, False):
            which = "rejected" if chosen else "chosen"
            yield "xpo", {"beta": beta, "alpha": alpha}, lambda p, r, n, a=(beta, alpha, chosen): run(p, r, n, *a), which


def main():
    draw = random.Random(2)
    print("{" + f'"trl": "{trl.__version__}", "torch": "{torch.__version__}", "cases": [')
    lines = []
    for name, settings, run, third_is in old_cases() if trl.__version__.startswith("0.") else xpo_cases():
        n, scale = draw.choice([1, 4]), draw.choice([0.2, 1.0, 4.0])
        tokens = lambda: [-float(f"{scale * draw.expovariate(1) + 1e-3:.4g}") for _ in range(2 * n)]  # noqa: E731
        logp, ref = tokens(), tokens()
        policy = torch.tensor(logp).requires_grad_(True)
        loss = run(policy, torch.tensor(ref), n)
        loss.backward()
        answers = [{"logp": [p], "ref": [r]} for p, r in zip(logp, ref)]
        pairs = [{"chosen": c, "rejected": r} for c, r in zip(answers[:n], answers[n:])]
        if third_is:
            pairs = [p | {"extra": p[third_is]} for p in pairs]
        g = policy.grad.tolist()
        lines.append(json.dumps({
            "trainer": "old", "objective": name, "settings": settings, "pairs": pairs, "loss": loss.item(), "third_is": third_is or "",
            "grads": [{"chosen": c, "rejected": r} for c, r in zip(g[:n], g[n:])],
        }, separators=(",", ":")))
    print(",\n".join(lines))
    print("]}")


main()

"""Records losses and gradients of TRL's own DPOTrainer for objective's tests.

    pip install torch trl==1.16.0
    python scripts/trl/record.py > objective/testdata/trl.json

The trainer's method that computes the loss is run as it is, on a stand-in for the
trainer whose model answers with log-probabilities drawn here, in float64.
"""

import json
import random
import sys
import warnings
from collections import defaultdict
from types import SimpleNamespace

import torch
import trl
from trl import DPOTrainer

warnings.simplefilter("ignore")

PAIRS = 6
CASES = [
    {"loss": loss, "beta": beta, "label_smoothing": smoothing}
    for loss in ["sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired",
                 "apo_zero", "apo_down", "discopop", "sigmoid_norm"]
    for beta in (0.1, 1.0, 3.0)
    for smoothing in (0.1,)
]


class Model(torch.nn.Module):
    """Answers with given log-probabilities of the tokens."""

    def __init__(self, log_probs):
        super().__init__()
        self.answer, self.is_gradient_checkpointing = log_probs, False

    def forward(self, **_):
        zeros = torch.zeros_like(self.answer).detach()
        return SimpleNamespace(log_probs=self.answer, entropy=zeros, mean_logits=zeros, is_top1=zeros.bool(), log_sum_sq_probs=zeros)


def run(case, tokens, reference, lengths):
    """The loss of a batch of pairs, chosen first, and its gradient by token."""
    longest = max(lengths)
    steps = torch.arange(1, longest + 1)
    mask = (steps[None, :] <= torch.tensor(lengths)[:, None]).long()
    policy = (torch.tensor(tokens, dtype=torch.float64) * mask).requires_grad_(True)
    before = torch.tensor(reference, dtype=torch.float64) * mask
    accelerator = SimpleNamespace(device="cpu", gather_for_metrics=lambda x: x, gather=lambda x: x)
    model, frozen = Model(policy), Model(before)
    trainer = SimpleNamespace(
        model=model, ref_model=frozen, accelerator=accelerator, beta=case["beta"], label_smoothing=case["label_smoothing"],
        loss_types=[case["loss"]], loss_weights=[1.0], f_divergence_type="reverse_kl", f_alpha_divergence_coef=0.5,
        ld_alpha=None, use_weighting=False, aux_loss_enabled=False, precompute_ref_logps=False,
        args=SimpleNamespace(gradient_checkpointing_kwargs=None, discopop_tau=0.05),
        _metrics={"train": defaultdict(list), "eval": defaultdict(list)}, _total_train_tokens=0, _tp_size=1,
    )
    completion = torch.cat([torch.zeros(len(lengths), 1, dtype=torch.long), mask], dim=1)  # one token of prompt
    inputs = {"input_ids": torch.ones_like(completion), "attention_mask": torch.ones_like(completion), "completion_mask": completion}
    loss = DPOTrainer._compute_loss(trainer, model, inputs, False)
    loss.backward()
    return loss.item(), policy.grad[:, 0].tolist()  # the same for every token


def main():
    draw = random.Random(1)
    out = {"trl": trl.__version__, "torch": torch.__version__, "cases": []}
    for case in CASES:
        for longest in (1, 5):
            lengths = [draw.randint(1, longest) for _ in range(2 * PAIRS)]
            width = max(lengths)
            scale = draw.choice([0.2, 1.0, 4.0])
            tokens = [[-scale * draw.expovariate(1) for _ in range(width)] for _ in lengths]
            reference = [[-scale * draw.expovariate(1) for _ in range(width)] for _ in lengths]
            loss, gradient = run(case, tokens, reference, lengths)
            total = lambda rows: [sum(row[:n]) for row, n in zip(rows, lengths)]  # noqa: E731
            logp, ref = total(tokens), total(reference)
            out["cases"].append({
                **case, "loss_value": loss,
                "chosen": logp[:PAIRS], "rejected": logp[PAIRS:], "chosen_ref": ref[:PAIRS], "rejected_ref": ref[PAIRS:],
                "chosen_length": lengths[:PAIRS], "rejected_length": lengths[PAIRS:],
                "grad_chosen": gradient[:PAIRS], "grad_rejected": gradient[PAIRS:],
            })
    json.dump(out, sys.stdout)
    print()


main()

"""Scores recorded verdicts by the benchmarks' published rules, for the tests of spc/benchmark.

    pip install pyarrow
    go test ./spc/benchmark -run TestWriteFixtures -update   # only where the rows shall change
    python scripts/spc/record.py

Writes testdata/scores.json, and copies of some rows as CSV and Parquet, so that
Agon reads what other programs write. Nothing here is shared with the Go code.

ProcessBench: Zheng et al. 2024, https://github.com/QwenLM/ProcessBench
SPC: Chen et al. 2025, https://github.com/chen-judge/SPC
DeltaBench: He et al. 2025, https://github.com/OpenStellarTeam/DeltaBench
"""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pyarrow
import pyarrow.parquet

DATA = Path(__file__).resolve().parents[2] / "spc" / "benchmark" / "testdata"
SUBSETS = ["gsm8k", "math", "olympiadbench", "omnimath"]


def mean(values):
    return sum(values) / len(values) if values else 0.0


def harmonic(a, b):
    return 2 * a * b / (a + b) if a + b else 0.0


def lines(name):
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


def boxed(text):
    found = re.findall(r"\\boxed\{([^}]*)\}", text)
    return found[-1].strip() if found else None


def number(text):
    try:
        return int(text)
    except (TypeError, ValueError):
        return None


def process_bench(rows, answers):
    """acc1 on erroneous solutions, acc2 on right ones, F1, by subset, and the mean F1."""
    out = {}
    for subset in SUBSETS:
        hits = {True: [], False: []}
        for (of, row), answer in zip(rows, answers):
            if of == subset:
                hits[row["label"] != -1].append(answer == row["label"])
        acc1, acc2 = mean(hits[True]), mean(hits[False])
        out[subset] = {"erroneous": acc1, "correct": acc2, "f1": harmonic(acc1, acc2)}
    return {"subsets": out, "mean": mean([s["f1"] for s in out.values()])}


def majority(samples):
    """What most samples box; Counter keeps the order of arrival among equals."""
    words = [w for w in map(boxed, samples) if w is not None]
    return number(Counter(words).most_common(1)[0][0]) if words else None


def spc_rows():
    """(subset, label) of the evaluation's rows, in the order of the files."""
    for name in ["pairs", "steps"]:
        for row in lines(f"spc/{name}.jsonl"):
            if "correct_last_step" in row:
                yield name, 1
                yield name, -1
            else:
                label = row.get("process_bench_human_label", row.get("delta_bench_human_label"))
                yield row["data_type"], label


def spc(answers):
    by_class, by_subset, valid = {1: [], -1: []}, {}, 0
    for (subset, label), text in zip(spc_rows(), answers):
        start, end = text.find("<Answer>"), text.find("</Answer>")
        word = text[start + len("<Answer>"):end].lower() if start >= 0 else ""
        verdict = {"correct": 1, "incorrect": -1}.get(word)
        if verdict is None:
            continue
        valid += 1
        by_class[label].append(verdict == label)
        by_subset.setdefault(subset, []).append(verdict == label)
    right, wrong = mean(by_class[1]), mean(by_class[-1])
    return {
        "valid": valid, "invalid": len(answers) - valid, "correct": right, "erroneous": wrong,
        "average": (right + wrong) / 2, "harmonic": harmonic(right, wrong),
        "subsets": {k: mean(v) for k, v in by_subset.items()}, "mean": mean([mean(v) for v in by_subset.values()]),
    }


def named_sections(text):
    """The sections an answer names, or None where it draws no conclusion."""
    head = text.split("Error Section Number:")[0]
    if "Conclusion:" not in head:
        return None
    if "yes" not in head.split("Conclusion:")[-1].lower():
        return set()
    return {int(re.search(r"\d+", part).group()) for part in text.split("Error Section Number:")[1:]}


def delta_bench(rows, answers):
    scores, tp, fp, fn = [], 0, 0, 0
    for row, text in zip(rows, answers):
        truth = set(row["reason_error_section_numbers"]) | set(row["reason_unuseful_section_numbers"])
        if not truth:
            continue
        named = {n for n in named_sections(text) or () if n <= max(truth)}
        hit, extra, missed = len(named & truth), len(named - truth), len(truth - named)
        precision = hit / (hit + extra) if hit + extra else 0.0
        recall = hit / (hit + missed)
        scores.append((precision, recall, harmonic(precision, recall)))
        tp, fp, fn = tp + hit, fp + extra, fn + missed
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    return {
        "macro": dict(zip(["precision", "recall", "f1"], map(mean, zip(*scores)))),
        "micro": {"precision": precision, "recall": recall, "f1": harmonic(precision, recall)},
    }


def copy_tables():
    (DATA / "processbench-parquet").mkdir(exist_ok=True)
    for subset in SUBSETS:
        rows = json.loads((DATA / f"processbench/{subset}.json").read_text())
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), DATA / f"processbench-parquet/{subset}-00000-of-00001.parquet")
    (DATA / "gsm8k-parquet").mkdir(exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(lines("gsm8k/test.jsonl")), DATA / "gsm8k-parquet/test.parquet")
    (DATA / "deltabench-csv").mkdir(exist_ok=True)
    rows = [{("sections_content" if k == "section_content" else k): v for k, v in row.items()} for row in lines("deltabench/deltabench.jsonl")]
    with (DATA / "deltabench-csv/deltabench.csv").open("w", newline="") as f:
        out = csv.DictWriter(f, rows[0], lineterminator="\n")
        out.writeheader()
        out.writerows(rows)  # lists and booleans as Python writes them


def main():
    copy_tables()
    verdicts = json.loads((DATA / "verdicts.json").read_text())
    rows = [(s, row) for s in SUBSETS for row in json.loads((DATA / f"processbench/{s}.json").read_text())]
    scores = {
        "processbench": process_bench(rows, [number(boxed(text)) for text in verdicts["first_error"]]),
        "processbench_vote": process_bench(rows, [majority(samples) for samples in verdicts["votes"]]),
        "spc": spc(verdicts["steps"]),
        "deltabench": delta_bench(lines("deltabench/deltabench.jsonl"), verdicts["sections"]),
    }
    (DATA / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Load files of preferences with Hugging Face datasets and compare them.

    pip install datasets
    python testdata/datasets/check.py want.json FILE...

want.json maps the name of each file to its rows. A file must load by its ending
alone, with the columns that TRL's trainers ask for: prompt, chosen and rejected
for DPO (https://huggingface.co/docs/trl/dataset_formats), prompt, completion and
label for KTO.
"""

import json
import pathlib
import sys

import datasets

NEEDED = {"chosen": {"prompt": "string", "chosen": "string", "rejected": "string"},
          "label": {"prompt": "string", "completion": "string", "label": "bool"}}


def check(path, want):
    kind = {".parquet": "parquet", ".jsonl": "json"}[path.suffix]
    rows = datasets.load_dataset(kind, data_files=str(path), split="train")
    for marker, columns in NEEDED.items():
        if marker not in rows.column_names:
            continue
        for name, dtype in columns.items():
            found = rows.features[name].dtype
            assert found == dtype, f"{path.name}: column {name} is of type {found}, expected {dtype}"
    assert len(rows) == len(want), f"{path.name}: {len(rows)} rows, expected {len(want)}"
    for i, (row, other) in enumerate(zip(rows, want)):
        assert row == other, f"{path.name}, row {i}:\n{row}\nexpected\n{other}"
    print(f"{path.name}: {len(rows)} rows, columns {', '.join(rows.column_names)}")


def main():
    want = json.loads(pathlib.Path(sys.argv[1]).read_text())
    for name in sys.argv[2:]:
        check(pathlib.Path(name), want[pathlib.Path(name).name])


if __name__ == "__main__":
    datasets.disable_progress_bars()
    main()

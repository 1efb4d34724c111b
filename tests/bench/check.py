"""Instructions of fixed work, counted by callgrind, beside the committed ones: what noise of the machine does not touch.

The figures are of one compiler's major version each, and of the build that tests/run makes (-O2): another compiler makes
other instructions of the same code.
"""

import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.paths import BUILD

FIGURES = Path(__file__).parent / "instructions.json"
PROGRAM = BUILD / "tests" / "bench" / "bench-workloads"
TOLERANCE = 0.05

WORK = {"sync": "work_sync(*", "events": "work_events(*"}


def compiler() -> str:
    """What the program was compiled by, "gcc 12", as it says itself."""
    comment = subprocess.run(["readelf", "--string-dump=.comment", PROGRAM], check=True, capture_output=True,
                             text=True).stdout
    if found := re.search(r"clang version (\d+)", comment):
        return f"clang {found[1]}"
    found = re.search(r"GCC: .*?(\d+)\.\d+\.\d+", comment)
    return f"gcc {found[1]}" if found else "unknown"


def count(work: str) -> int:
    """Instructions within that function, of one run."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--collect-atstart=no",
                               f"--toggle-collect={WORK[work]}", PROGRAM, work], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"callgrind of {work} ended with {done.returncode}:\n{done.stderr}")
        totals = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)
        if totals is None or int(totals[1]) == 0:
            raise RuntimeError(f"callgrind counted nothing of {work}: is {WORK[work]} still its name?")
        return int(totals[1])


def check(update: bool) -> int:
    """Prints a line for each. 1: too far from the committed figures; 0: not, or no figures of this compiler."""
    which = compiler()
    committed: dict[str, dict[str, int]] = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    if not update and which not in committed:
        print(f"no figures of {which}, but of {', '.join(sorted(committed)) or 'none'}: skipped. "
              "tests/bench/run --check --update makes them")
        return 0
    with ThreadPoolExecutor() as pool:  # What else runs meanwhile is in no count.
        found = dict(zip(WORK, pool.map(count, WORK)))
    failed = False
    for work in WORK:
        if update:
            print(f"{work:8} {found[work]:>14,} instructions, with {which}")
            continue
        change = found[work] / committed[which][work] - 1
        verdict = "as committed"
        if abs(change) > TOLERANCE:
            failed = True
            verdict = ("MORE THAN COMMITTED" if change > 0 else
                       "LESS THAN COMMITTED: if that is meant, run tests/bench/run --check --update and commit")
        print(f"{work:8} {found[work]:>14,} instructions, {change:+.2%} of {committed[which][work]:,}, {which}: {verdict}")
    if update:
        FIGURES.write_text(json.dumps({**committed, which: found}, indent=2, sort_keys=True) + "\n")
    sys.stdout.flush()
    return 1 if failed else 0

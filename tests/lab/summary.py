"""Counts the results of all tests: JUnit files below a folder, and steps that are tests themselves.

Prints what failed, and as the last line `N passed, N failed, N skipped`. Exit code 0 if something passed and nothing
failed.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def first_line(text: str | None) -> str:
    return next((line.strip() for line in (text or "").splitlines() if line.strip()), "")


def main() -> int:
    folder = Path(sys.argv[1])
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []

    steps = folder / "steps"
    for line in steps.read_text().splitlines() if steps.exists() else []:
        outcome, what = line.split("\t")
        counts[outcome] += 1
        if outcome == "failed":
            failures.append(what)

    for report in sorted(folder.rglob("*.xml")):
        area = report.relative_to(folder).with_suffix("")
        try:
            cases = list(ElementTree.parse(report).getroot().iter("testcase"))
        except ElementTree.ParseError as error:
            counts["failed"] += 1
            failures.append(f"{area}: no JUnit file: {error}")
            continue
        for case in cases:
            failure = next((found for tag in ("failure", "error") if (found := case.find(tag)) is not None), None)
            if failure is not None:
                counts["failed"] += 1
                message = failure.get("message") or first_line(failure.text)
                failures.append(f"{area}: {case.get('name')}: {first_line(message)[:200]}")
            elif case.find("skipped") is not None:
                counts["skipped"] += 1
            else:
                counts["passed"] += 1

    if failures:
        print("\nfailed:")
        for failure in failures:
            print(f"  {failure}")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 0 if counts["passed"] > 0 and counts["failed"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())

"""What a case is, what it finds, and how that is shown: as text, Markdown, JSON and plots."""

import os
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Callable, Iterable, Optional, Sequence

from figures import Figures, figures


@dataclass(frozen=True)
class Goal:
    """What a row is to come to, at most, or at least."""

    bound: float
    by: str = "ratio"  # to the control; or "difference" from it, or "value"
    of: str = "median"
    least: bool = False

    def found(self, ours: Figures, control: Optional[Figures]) -> Optional[float]:
        """None where there is no control, and the goal needs one."""
        value: float = getattr(ours, self.of)
        if self.by == "value":
            return value
        if control is None:
            return None
        other: float = getattr(control, self.of)
        if self.by == "difference":
            return value - other
        return value / other if other else None

    def met(self, ours: Figures, control: Optional[Figures]) -> Optional[bool]:
        found = self.found(ours, control)
        if found is None:
            return None
        return found >= self.bound if self.least else found <= self.bound

    def text(self, unit: str) -> str:
        sign = "≥" if self.least else "≤"
        bound = {"ratio": f"{self.bound:g} ×", "difference": f"control + {self.bound:g} {unit}",
                 "value": f"{self.bound:g} {unit}"}[self.by]
        return f"{self.of} {sign} {bound}"


@dataclass(frozen=True)
class Row:
    what: str
    unit: str
    ours: Sequence[float]
    control: Sequence[float] = ()
    goals: Sequence[Goal] = ()
    note: str = ""

    @property
    def figures(self) -> Figures:
        return figures(self.ours)

    @property
    def control_figures(self) -> Optional[Figures]:
        return figures(self.control) if self.control else None

    def judged(self) -> list[str]:
        """A word on each goal."""
        words = []
        for goal in self.goals:
            found = goal.found(self.figures, self.control_figures)
            met = {True: "met", False: "NOT MET", None: "no control"}[goal.met(self.figures, self.control_figures)]
            value = "" if found is None else f" ({found:.2f})"
            words.append(f"{goal.text(self.unit)}: {met}{value}")
        return words

    def ratio(self) -> Optional[float]:
        return Goal(0).found(self.figures, self.control_figures)


@dataclass(frozen=True)
class Case:
    """measure: given how often, yields rows. n: how often when nobody says."""

    name: str
    summary: str
    n: int
    measure: Callable[[int], Iterable[Row]]


@dataclass
class Result:
    case: Case
    n: int
    load: float
    rows: list[Row] = field(default_factory=list)
    failure: str = ""

    def as_json(self) -> dict[str, Any]:
        rows = [{"what": row.what, "unit": row.unit, "ours": asdict(row.figures),
                 "control": row.control_figures and asdict(row.control_figures), "ratio": row.ratio(),
                 "goals": [asdict(goal) | {"goal": goal.text(row.unit), "found": goal.found(row.figures, row.control_figures),
                            "met": goal.met(row.figures, row.control_figures)} for goal in row.goals],
                 "note": row.note, "values": list(row.ours), "control_values": list(row.control)}
                for row in self.rows]
        return {"case": self.case.name, "n": self.n, "load": self.load, "failure": self.failure, "rows": rows}


def from_json(case: dict[str, Any]) -> Result:
    """What as_json() has made of a result, on whichever machine that was."""
    members = {member.name for member in fields(Goal)}

    def goal(kept: dict[str, Any]) -> Goal:
        return Goal(**{key: value for key, value in kept.items() if key in members})

    result = Result(Case(case["case"], "", case["n"], lambda _: []), case["n"], case["load"], failure=case["failure"])
    result.rows += [Row(row["what"], row["unit"], row["values"], row["control_values"],
                        [goal(kept) for kept in row["goals"]], row["note"]) for row in case["rows"]]
    return result


def alternate(n: int, ours: Callable[[], float], control: Callable[[], float]) -> tuple[list[float], list[float]]:
    """A B A B …, so that what the machine does meanwhile hits both."""
    pairs = [(ours(), control()) for _ in range(n)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def first_line(*command: str) -> str:
    """Of what the command prints; "none" where it is not installed."""
    if shutil.which(command[0]) is None:
        return "none"
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return (done.stdout or done.stderr).strip().partition("\n")[0]


def machine() -> dict[str, str]:
    cpu = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    memory = Path("/proc/meminfo").read_text().split(None, 2)[1]
    release = platform.freedesktop_os_release()
    return {"kernel": platform.release(), "processor": cpu, "cores": str(os.cpu_count()),
            "memory": f"{int(memory) / 1e6:.0f} GB", "system": release.get("PRETTY_NAME", "?"),
            "docker": first_line("dockerd", "--version"), "podman": first_line("podman", "--version"),
            "containerd": first_line("containerd", "--version"), "bus": first_line("dbus-daemon", "--version"),
            "load": f"{os.getloadavg()[0]:.2f}"}


_HEADS = ("n", "median", "p95", "max")


def _cells(found: Optional[Figures]) -> list[str]:
    if found is None:
        return [""] * len(_HEADS)
    return [str(found.n)] + [f"{getattr(found, name):.2f}" for name in _HEADS[1:]]


def text(result: Result) -> str:
    lines = [f"{result.case.name}: {result.case.summary} (load {result.load:.2f})"]
    for row in result.rows:
        lines.append(f"  {row.what}")
        for whose, found in (("ours", row.figures), ("control", row.control_figures)):
            if found is not None:
                n, *values = _cells(found)
                shown = "  ".join(f"{name} {value:>10} {row.unit}" for name, value in zip(_HEADS[1:], values))
                lines.append(f"    {whose:8} n {n:>6}  {shown}")
        if (ratio := row.ratio()) is not None:
            lines.append(f"    ratio {ratio:.2f}")
        lines += [f"    {word}" for word in row.judged()]
        if row.note:
            lines.append(f"    {row.note}")
    if result.failure:
        lines.append(f"  FAILED: {result.failure}")
    return "\n".join(lines)


def markdown(results: Sequence[Result]) -> str:
    lines = ["| case | unit | n | median, p95, max | control's | ratio | goals | load |",
             "| --- | --- | ---: | --- | --- | ---: | --- | ---: |"]
    for result in results:
        for row in result.rows:
            _, *ours = _cells(row.figures)
            _, *control = _cells(row.control_figures)
            ratio = "" if (found := row.ratio()) is None else f"{found:.2f}"
            goals = "; ".join(row.judged()) + (f" {row.note}" if row.note else "")
            lines.append(f"| {row.what} | {row.unit} | {row.figures.n} | {', '.join(ours)} | "
                         f"{', '.join(filter(None, control))} | {ratio} | {goals} | {result.load:.2f} |")
        if result.failure:
            lines.append(f"| {result.case.name} | | | | | | failed: {result.failure.splitlines()[0]} | |")
    return "\n".join(lines)

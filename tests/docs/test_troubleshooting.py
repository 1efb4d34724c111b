"""docs/troubleshooting.md answers every text that LastError can have."""

import re
from pathlib import Path

from lab.paths import SOURCE

# Where errors of a connection, a list or a stream of events are made; all that is below engines/, but for what is done
# to containers, and inspections: those errors are answers to who asked.
ANSWERS = re.compile(r"control|deployment|inspect|lookup|plan|requests|runtime|stop|support/|endpoint|engine_factory|library"
                     r"|writer|call_state")
DAEMON = ("daemon/engine_watch.cpp", "daemon/watcher.cpp", "daemon/registry.cpp")
ERROR = re.compile(r"\b(make_error|fail|fail_stream|error|set_lost|refuse|return|refusal|last_error|what|throw"
                   r"|Malformed|broken_head)\b")
# What is being done, and answers to others than a watcher.
NOT_CAUSES = {
    "ask the engine for its", "inspect sandbox", "list containers", "has no runtime", "there is no such container",
    "there is no such container; expected NAMESPACE/ID of a namespace that is watched", ": a NUL byte",
    "another container has this as its name", "tasks run on engines of type docker or podman alone", "can't be watched",
    "the container described has no usable id", "the container described has no state", "Deadline Exceeded",
}


def literals(path: Path) -> set[str]:
    """Those of statements that make errors, adjacent ones joined."""
    text = re.sub(r"(?m)//.*$|^#.*$", "", path.read_text())
    text = re.sub(r'"\s*\n\s*"', "", text)
    found: set[str] = set()
    for statement in re.split(r"[;{}]\n", text):
        if ERROR.search(statement) and "log::" not in statement:
            found.update(literal.replace('\\"', '"') for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', statement))
    return {literal.strip(" '") for literal in found if len(literal) > 8 and " " in literal.strip(" '")}


def test_every_text_is_answered() -> None:
    page = " ".join((SOURCE / "docs" / "troubleshooting.md").read_text().split())
    files = [path for path in sorted((SOURCE / "engines").rglob("*.cpp"))
             if not ANSWERS.search(str(path.relative_to(SOURCE)))]
    texts = {text for path in [*files, *(SOURCE / name for name in DAEMON)] for text in literals(path)} - NOT_CAUSES
    assert len(texts) > 40
    missing = sorted(text for text in texts if text not in page)
    assert not missing, "\n".join(missing)


def test_every_text_that_is_answered_exists() -> None:
    sources = "".join(path.read_text() for folder in ("engines", "daemon") for path in (SOURCE / folder).rglob("*.cpp"))
    sources = re.sub(r'"\s*\n\s*"', "", sources).replace('\\"', '"')
    page = (SOURCE / "docs" / "troubleshooting.md").read_text()
    rows = [row.split(" | ")[0] for row in re.findall(r"(?m)^\| (`.*)$", page)]
    parts = [part for row in rows for text in re.findall(r"`([^`]*)`", row) for part in text.split("…")]
    # "no answer" and " within " are two.
    texts = [part.strip(" ;':").removesuffix(" within") for part in parts]
    missing = [text for text in texts if text not in sources and not text.startswith("HTTP ")]
    assert len(texts) > 40 and not missing, missing

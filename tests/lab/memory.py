"""What a process has in its memory."""

import re
from pathlib import Path
from typing import List


def places_of(pid: int, text: bytes) -> List[str]:
    """The mappings that it is found in, once for each time. Not those of files, into which the process writes nothing."""
    places: List[str] = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            bounds, rights, _, _, inode, *name = line.split(maxsplit=5)
            if not rights.startswith("rw") or (inode != "0" and not rights.startswith("rw-p")):
                continue
            first, end = (int(bound, 16) for bound in bounds.split("-"))
            memory.seek(first)
            found = len(re.findall(re.escape(text), memory.read(end - first)))
            places += [name[0] if name else "anonymous"] * found
    return places

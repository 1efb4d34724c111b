"""What a daemon must not have more of, the longer it runs."""

from dataclasses import dataclass

from lab.process import Process

# gRPC ends idle threads and connections when it sees fit.
_THREADS, _DESCRIPTORS = 4, 8
# Of the memory before, and in bytes.
_GROWTH, _BYTES = 0.10, 8 << 20


@dataclass(frozen=True)
class Figures:
    descriptors: int
    threads: int
    rss_anon: int

    @classmethod
    def of(cls, process: Process) -> "Figures":
        return cls(process.fds(), process.threads(), process.rss_anon())

    def __str__(self) -> str:
        return f"{self.descriptors} descriptors, {self.threads} threads, {self.rss_anon >> 10} kB"


def assert_back(before: Figures, now: Figures) -> None:
    """Is it where it was?"""
    assert now.descriptors <= before.descriptors + _DESCRIPTORS, f"{before}, now {now}"
    assert now.threads <= before.threads + _THREADS, f"{before}, now {now}"
    assert now.rss_anon <= before.rss_anon * (1 + _GROWTH) + _BYTES, f"{before}, now {now}"

"""Numbers as text: sizes, bytes, times."""


def size_text(n, thousands=""):
    """Writes a number of entries as the command line takes it (1k = 1024), always exact: 4096 is 4k, 1048576 is 1m, and what
    is no multiple of 1024 stands in full. thousands: what stands between groups of three digits."""
    for suffix, bits in (("g", 30), ("m", 20), ("k", 10)):
        if n and n % (1 << bits) == 0:
            return f"{n >> bits:{thousands}}{suffix}"
    return f"{n:{thousands}}"


def format_n(n):
    """Writes a number of entries for people: 64k, 571,740."""
    return size_text(n, ",")


def format_bytes(size):
    for step, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= step:
            return f"{size / step:.3g} {unit}"
    return f"{size:.3g} B"


def format_ns(ns):
    for step, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if ns >= step:
            return f"{ns / step:.3g} {unit}"
    return f"{ns:.3g} ns"

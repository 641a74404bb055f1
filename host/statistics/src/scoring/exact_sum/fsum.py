"""Reference values for `tests.rs`: correctly rounded sums by Python's math.fsum. Run: python3 fsum.py

Prints the parameters of each sequence and the bits of its sum. `tests.rs` generates the same sequences.
"""

import math
import struct

WORD = (1 << 64) - 1


def words(seed):
    """SplitMix64 (Steele, Lea, Flood, 2014)."""
    while True:
        seed = seed + 0x9E3779B97F4A7C15 & WORD
        z = (seed ^ seed >> 30) * 0xBF58476D1CE4E5B9 & WORD
        z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
        yield z ^ z >> 31


def sequence(seed, least, span, cancelled):
    """1,000 floats with biased exponents from `least` up, then the first `cancelled` of them with the opposite sign."""
    source = words(seed)
    xs = []
    for _ in range(1000):
        word = next(source)
        exponent = least + (word >> 52 & 0x7FF) % span
        bits = word & 0x800FFFFFFFFFFFFF | exponent << 52
        xs.append(struct.unpack("<d", struct.pack("<Q", bits))[0])
    return xs + [-x for x in xs[:cancelled]]


for parameters in [
    (1, 0, 2000, 0),
    (2, 0, 1, 0),
    (3, 0, 60, 990),
    (4, 1003, 40, 0),
    (5, 0, 2000, 999),
    (6, 940, 60, 998),
    (7, 1020, 3, 0),
    (8, 1080, 40, 997),
]:
    (bits,) = struct.unpack("<Q", struct.pack("<d", math.fsum(sequence(*parameters))))
    print(parameters, f"0x{bits:016x}")

"""Checkpoints that are not what they were, with digests that are right."""
import struct

MASK = (1 << 64) - 1
HEADER = 104
FIELDS = ("version", "generation", "identity", "layout", "particles", "columns", "states", "draws",
          "size", "front", "own")


def mix(z):
    z = ((z ^ (z >> 30)) * 0xbf58476d1ce4e5b9) & MASK
    z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & MASK
    return z ^ (z >> 31)


def digest(seed, data):
    value = mix(seed ^ (len(data) * 0x9e3779b97f4a7c15 & MASK))
    for at in range(0, len(data), 8):
        word = int.from_bytes(data[at:at + 8], "little")
        value = mix(((value ^ word) + 0x9e3779b97f4a7c15) & MASK)
    return value


class Checkpoint:
    """The parts of a file, to be changed and written with digests that fit."""

    def __init__(self, file):
        with open(file, "rb") as stream:
            self.bytes = bytearray(stream.read())
        self.file = file
        self.header = dict(zip(FIELDS, struct.unpack_from("<11Q", self.bytes, 16)))

    def states(self):
        """The places of the rows' counts."""
        at, end = HEADER, HEADER + self.header["states"]
        while at < end:
            yield at
            at += 8 + 8 * struct.unpack_from("<q", self.bytes, at)[0]

    def fill(self, row, word):
        """All values of a row of states."""
        place = list(self.states())[row]
        for at in range(struct.unpack_from("<q", self.bytes, place)[0]):
            struct.pack_into("<q", self.bytes, place + 8 + 8 * at, word)

    def shorten(self, row):
        """A row of states by its last value, if it has any."""
        place = list(self.states())[row]
        count = struct.unpack_from("<q", self.bytes, place)[0]
        if count > 0:
            struct.pack_into("<q", self.bytes, place, count - 1)
            del self.bytes[place + 8 * count:place + 8 * count + 8]
            self.header["states"] -= 8
            self.header["size"] -= 8

    def write(self, **changed):
        sums = 0
        if self.header["columns"]:
            blocks = (self.header["particles"] + 65535) // 65536
            sums = 8 * blocks * self.header["columns"]
        front = self.bytes[HEADER:HEADER + self.header["states"] + self.header["draws"] + sums]
        header = dict(self.header, front=digest(self.header["identity"], front), **changed)
        packed = bytes(self.bytes[:16]) + struct.pack("<10Q", *(header[name]
                                                                for name in FIELDS[:-1]))
        own = changed.get("own", digest(header["version"], packed))
        with open(self.file, "wb") as stream:
            stream.write(packed + struct.pack("<Q", own) + self.bytes[HEADER:])

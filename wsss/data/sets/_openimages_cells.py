"""Cells of a column as numbers, hundreds of thousands at once, from a table's bytes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

LONGEST = 16
"""Bytes that a cell may have; so many must stand behind the last one's beginning, whatever."""
_IS_HEX = np.isin(np.arange(256), list(b"0123456789abcdefABCDEF"))
# The first so many of eight bytes.
_FIRST = np.array([2**64 - 2 ** (64 - 8 * n) for n in range(9)], dtype=np.uint64)
_ALL = np.uint64(2**64 - 1)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SLOT_BITS = 16


class Cells(NamedTuple):
    """The n cells of a column: the bytes, where each begins, (n,) int64, and its length, (n,)."""

    buffer: np.ndarray
    begins: np.ndarray
    lengths: np.ndarray

    def take(self, rows: np.ndarray) -> "Cells":
        """Return the cells of some rows."""
        return Cells(self.buffer, self.begins[rows], self.lengths[rows])

    def text(self, row: int) -> str:
        """Return a cell for a sentence."""
        begin = int(self.begins[row])
        content = bytes(self.buffer[begin : begin + min(int(self.lengths[row]), 40)])
        return content.decode(errors="replace")

    def _windows(self) -> np.ndarray:
        return sliding_window_view(self.buffer, LONGEST)[self.begins]

    def words(self) -> np.ndarray:
        """Return the bytes as two numbers of eight, (n, 2) uint64, with zeros behind the cell.

        A cell of more than 16 bytes is told from every shorter one.
        """
        words = self._windows().view(">u8").astype(np.uint64)
        words[:, 0] &= _FIRST[np.minimum(self.lengths, 8)]
        words[:, 1] &= _FIRST[np.clip(self.lengths - 8, 0, 8)]
        words[self.lengths > LONGEST, 1] = _ALL
        return words

    def runs(self) -> np.ndarray:
        """Return the rows whose first 16 bytes are not those of the row before, ascending."""
        words = self._windows().view(np.uint64)
        is_first = np.ones(len(words), dtype=bool)
        is_first[1:] = (words[1:] != words[:-1]).any(axis=1)
        return np.flatnonzero(is_first)

    def from_hex(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what 16 hexadecimal digits stand for, (n,) uint64, and which cells are such."""
        windows = self._windows()
        is_number = (self.lengths == LONGEST) & _IS_HEX[windows].all(axis=1)
        halves = _eight_digits(windows.view(">u8").astype(np.uint64))
        return (halves[:, 0] << np.uint64(32)) | halves[:, 1], is_number

    def numbers(self) -> np.ndarray:
        """Return the numbers, (n,) float64, NaN where a cell is none."""
        texts = self._windows()
        texts[np.arange(LONGEST) >= self.lengths[:, None]] = 0
        try:
            numbers = texts.view(f"S{LONGEST}").ravel().astype(np.float64)
        except ValueError:
            numbers = np.array([_number(bytes(text)) for text in texts])
        return np.where(self.lengths <= LONGEST, numbers, np.nan)


def _eight_digits(words: np.ndarray) -> np.ndarray:
    letters = (words >> np.uint64(6)) & np.uint64(0x0101010101010101)
    digits = (words & np.uint64(0x0F0F0F0F0F0F0F0F)) + np.uint64(9) * letters
    pairs = (digits | (digits >> np.uint64(4))) & np.uint64(0x00FF00FF00FF00FF)
    fours = (pairs | (pairs >> np.uint64(8))) & np.uint64(0x0000FFFF0000FFFF)
    return (fours | (fours >> np.uint64(16))) & np.uint64(0xFFFFFFFF)


def _number(text: bytes) -> float:
    try:
        return float(text.rstrip(b"\0"))
    except ValueError:
        return float("nan")


class Wanted:
    """Texts that are looked for among cells.

    Args:
        texts: Different ones.

    Raises:
        ValueError: One has more than 16 bytes.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        encoded = [text.encode() for text in texts]
        if too_long := [text for text in encoded if len(text) > LONGEST]:
            raise ValueError(
                f"the label {too_long[0].decode()} has more than {LONGEST} bytes, which none of "
                "OpenImages' has; correct it"
            )
        content = b"".join(text.ljust(LONGEST, b"\0") for text in encoded)
        words = np.frombuffer(content, dtype=">u8").astype(np.uint64).reshape(-1, 2)
        keys = _mixed(words)
        self.order = np.argsort(keys)
        self.keys = keys[self.order]
        self.words = words[self.order]
        self.slots = np.zeros(2**_SLOT_BITS, dtype=bool)
        self.slots[_slot(keys)] = True

    def find(self, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of `Cells.words` that are wanted, ascending, and as which of the texts.

        Args:
            words: (n, 2) uint64.
        """
        keys = _mixed(words)
        # Most cells are not wanted, which their slot says without a search.
        maybe = np.flatnonzero(self.slots[_slot(keys)])
        if not maybe.size:
            return maybe, maybe
        found = np.minimum(np.searchsorted(self.keys, keys[maybe]), len(self.keys) - 1)
        same = (self.words[found] == words[maybe]).all(axis=1)
        return maybe[same], self.order[found[same]]


def _mixed(words: np.ndarray) -> np.ndarray:
    return words[:, 0] ^ (words[:, 1] * _MIX)


def _slot(keys: np.ndarray) -> np.ndarray:
    return (keys * _MIX) >> np.uint64(64 - _SLOT_BITS)

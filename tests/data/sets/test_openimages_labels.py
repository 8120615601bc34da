"""OpenImages' label tables as blocks of bytes, beside Python's csv reader."""

import csv
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsss.data.sets import _openimages_labels
from wsss.data.sets._openimages_cells import Wanted
from wsss.data.sets._openimages_labels import read_label_rows

HEADER = "ImageID,Source,LabelName,Confidence"
WANTED = ["/m/0k4j", "/m/0k4j1", "/g/11c5m1dd2", "/m/07bgp", "/m/0123456789abc", "/m/01234567"]
LABELS = [*WANTED, "/m/0k4", "/m/0k4j12", "/m/0123456789abcd", "/g/11c5m1dd3", "/m/01"]

rows = st.tuples(
    st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 2**64 - 1]),
    st.sampled_from(["verification", "machine", ""]),
    st.sampled_from(LABELS),
    st.sampled_from(["0", "1", "0.5", "1.0", "0.123456", "5e-1"]),
)


def slowly(path):
    """(id of every image in turn, [(line, id, label, confidence) of every wanted row])."""
    ids, found = [], []
    with path.open(newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            number = int(row["ImageID"], 16)
            ids += [] if ids and ids[-1] == number else [number]
            if row["LabelName"] in WANTED:
                found.append((line, number, row["LabelName"], float(row["Confidence"])))
    return ids, found


def fast(path):
    ids, found = [], []
    for part in read_label_rows(path, WANTED):
        # An image may go on in the next block.
        again = ids and ids[-1] == part.image_ids[0]
        ids += part.image_ids.tolist()[1 if again else 0 :]
        found += zip(
            part.lines.tolist(),
            part.image_ids[part.images].tolist(),
            [WANTED[number] for number in part.labels.tolist()],
            part.confidences.tolist(),
            strict=True,
        )
    return ids, found


@given(
    st.lists(st.tuples(rows, st.integers(1, 4)), max_size=25),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n", "\r\n\r\n"]),
    st.sampled_from([(0, 1, 2, 3), (3, 2, 1, 0), (1, 2, 0, 3)]),
    st.sampled_from([2**22, 100, 257]),
    st.booleans(),
)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_any_table_reads_as_a_csv_reader_reads_it(items, newline, end, order, block, marked):
    names = HEADER.split(",")
    lines = [[names[place] for place in order]]
    for (number, source, label, confidence), times in items:
        cells = (f"{number:016x}", source, label, confidence)
        lines += [[cells[place] for place in order]] * times
    text = newline.join(",".join(cells) for cells in lines) + end
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(_openimages_labels, "BLOCK", block)
        path = Path(name, "labels.csv")
        path.write_bytes(b"\xef\xbb\xbf" * marked + text.encode())
        expected = slowly(path) if not marked else None
        if marked:
            Path(name, "plain.csv").write_bytes(text.encode())
            expected = slowly(Path(name, "plain.csv"))
        assert fast(path) == expected


@given(st.lists(st.text(max_size=18), unique=True, max_size=20), st.randoms())
@settings(deadline=None, derandomize=True, max_examples=100)
def test_texts_are_found_among_others(texts, random):
    short = [text for text in texts if len(text.encode()) <= 16 and "\0" not in text]
    wanted = random.sample(short, len(short) // 2)
    search = Wanted(wanted)
    words = np.frombuffer(
        b"".join(text.encode().ljust(16, b"\0") for text in short), dtype=">u8"
    ).astype(np.uint64)
    found, which = search.find(words.reshape(-1, 2))
    assert {short[row]: wanted[n] for row, n in zip(found, which, strict=True)} == {
        text: text for text in wanted
    }


def table(tmp_path, content):
    path = tmp_path / "labels.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_table_of_boxes_is_one_of_labels_too(tmp_path):
    path = table(
        tmp_path,
        f"{HEADER},XMin,XMax\n000026e7ee790996,xclick,/m/07bgp,1,0.071905,0.145346\n",
    )
    assert fast(path) == ([0x000026E7EE790996], [(2, 0x000026E7EE790996, "/m/07bgp", 1.0)])


def test_a_table_without_rows_has_none(tmp_path):
    assert fast(table(tmp_path, HEADER)) == fast(table(tmp_path, HEADER + "\n\n")) == ([], [])


GOOD = "000026e7ee790996,verification,/m/07bgp,1\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"lack the column\(s\) ImageID, LabelName, Confidence; their first line is ''"),
        (GOOD, r"lack the column\(s\) ImageID, LabelName, Confidence; .*000026e7ee790996"),
        (HEADER.replace(",", ";") + "\n", r"lack the column\(s\) ImageID, LabelName, Conf"),
        (f"{HEADER}\n{GOOD}{GOOD[:-3]}\n{GOOD}", "have 3 cells in line 3, but 4 in the first"),
        (f"{HEADER}\n{GOOD}{GOOD[:-1]},\n", "have 5 cells in line 3, but 4 in the first; fetch"),
        (f"{HEADER}\n{GOOD}\n{GOOD}", "have 1 cells in line 3, but 4 in the first"),
        (f"{HEADER}\n{GOOD}{GOOD[:9]}", "have 1 cells in line 3, but 4 in the first"),
        (f"{HEADER}\n{GOOD}{HEADER}\n", "hold 'ImageID' in line 3, no image id of 16 hexadec"),
        (f"{HEADER}\n{GOOD}0{GOOD}", "hold '0000026e7ee790996' in line 3, no image id of 16"),
        (f"{HEADER}\n{GOOD}{GOOD.replace('ee', 'eg')}", "hold '000026e7eg790996' in line 3, no"),
        (f"{HEADER}\n{GOOD}{GOOD.replace('/m/07bgp', 'Sheep')}", "hold 'Sheep' in line 3, no lab"),
        (f"{HEADER}\n{GOOD}{GOOD.replace('/m/07bgp', '')}", "hold '' in line 3, no label such"),
        (f"{HEADER}\n{GOOD}{GOOD[:-2]}yes\n", r"hold 'yes' in line 3, no confidence in 0\.\.1"),
        (f"{HEADER}\n{GOOD}{GOOD[:-2]}\n", "hold '' in line 3, no confidence"),
        (f"{HEADER}\n{GOOD}{GOOD[:-2]}nan\n", "hold 'nan' in line 3, no confidence"),
        (f"{HEADER}\n{GOOD}{GOOD[:-2]}-1\n", "hold '-1' in line 3, no confidence"),
        (f"{HEADER}\n{GOOD}{GOOD[:-2]}{'0' * 17}\n", "hold '00000000000000000' in line 3, no conf"),
        (f"{HEADER}\n{GOOD}".encode("utf-16"), r"lack the column\(s\) ImageID"),
        (f"{HEADER}\n".encode() + b"\0" * 5_000_000, "are no table: a line has more than 4,194"),
    ],
)
def test_no_such_tables_are_refused_by_their_line(tmp_path, content, message):
    path = table(tmp_path, content)
    with pytest.raises(ValueError, match=rf"^labels .*labels\.csv {message}") as error:
        fast(path)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_the_line_is_counted_over_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(_openimages_labels, "BLOCK", 150)
    with pytest.raises(ValueError, match="hold 'x' in line 52, no confidence"):
        fast(table(tmp_path, f"{HEADER}\n{GOOD * 50}{GOOD[:-2]}x\n"))


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"none\.csv do not exist; link OpenImages' tables there"):
        fast(tmp_path / "none.csv")
    with pytest.raises(ValueError, match=r"cannot be read .Is a directory"):
        fast(tmp_path)
    with pytest.raises(ValueError, match="the label /m/0123456789abcdef has more than 16 bytes"):
        list(read_label_rows(tmp_path, ["/m/0123456789abcdef"]))

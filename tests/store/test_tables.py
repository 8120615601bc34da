import subprocess

import numpy as np
import pandas as pd
import pytest

from wsss.store.tables import read_table, write_table

TABLE = pd.DataFrame(
    {
        "image_id": ["000123", "7", "a,b"],
        "class_name": ["7", "", 'say "rail"'],
        "count": [1, 2, 3],
        "value": [0.1, np.nan, 1 / 3],
    }
)


def test_a_table_reads_back_exactly(tmp_path):
    write_table(tmp_path / "a.csv", TABLE)
    pd.testing.assert_frame_equal(
        read_table(tmp_path / "a.csv", ["image_id", "value"]), TABLE, check_exact=True
    )


def test_every_float_keeps_its_last_bit(tmp_path):
    values = np.random.default_rng(0).standard_normal(500) * 10.0 ** np.arange(-250, 250)
    write_table(tmp_path / "a.csv", pd.DataFrame({"value": values}))
    np.testing.assert_array_equal(read_table(tmp_path / "a.csv", ["value"])["value"], values)


def test_equal_tables_give_equal_files(tmp_path):
    write_table(tmp_path / "a.csv", TABLE)
    write_table(tmp_path / "b.csv", read_table(tmp_path / "a.csv", []))
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert b"\r" not in (tmp_path / "a.csv").read_bytes()


def test_types_of_unnamed_columns(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "key,empty,whole,mixed,limit,classifier,large\n01,,5,5,inf,,9\n2,,-6,x,,1,99999999999999999999\n"
    )
    table = read_table(path, [])
    assert table["key"].tolist() == ["01", "2"]
    assert table["empty"].isna().all() and table["empty"].dtype == float
    assert table["whole"].tolist() == [5, -6] and table["whole"].dtype == np.int64
    assert table["mixed"].tolist() == ["5", "x"]
    assert table["limit"].iloc[0] == np.inf and np.isnan(table["limit"].iloc[1])
    assert table["classifier"].tolist() == ["", "1"]
    assert table["large"].iloc[1] == 1e20


def test_an_empty_table_keeps_its_columns(tmp_path):
    write_table(tmp_path / "a.csv", TABLE.iloc[:0])
    table = read_table(tmp_path / "a.csv", ["image_id", "value"])
    assert len(table) == 0 and list(table) == list(TABLE)


def test_a_byte_order_mark_of_a_spreadsheet_is_no_part_of_the_name(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfimage_id\r\n1\r\n")
    assert read_table(tmp_path / "a.csv", ["image_id"])["image_id"].tolist() == ["1"]


def test_a_missing_column_is_named_with_those_there_are(tmp_path):
    write_table(tmp_path / "a.csv", TABLE)
    with pytest.raises(ValueError, match=r"a\.csv lacks the column\(s\) score; it has image_id, "):
        read_table(tmp_path / "a.csv", ["score", "count"])


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2,3,4\n5\n", b"a\n\xff\xfe\n", b"a,b\n1\n"])
def test_what_is_no_table_is_refused(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.csv .*delete it and make it again"):
        read_table(tmp_path / "a.csv", [])


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a\.csv does not exist"):
        read_table(tmp_path / "a.csv", [])


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(ValueError, match=r"table .* cannot be read \(Is a directory\)"):
        read_table(tmp_path, ["x"])


def test_repeated_columns_are_refused(tmp_path):
    with pytest.raises(ValueError, match="column names repeat"):
        write_table(tmp_path / "a.csv", pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_a_damaged_or_changed_table_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    write_table(path, TABLE)
    content = path.read_bytes()
    for changed in (content[:-9], content.replace(b"0.1", b"0.3"), b""):
        path.write_bytes(changed)
        with pytest.raises(
            ValueError, match=r"a\.csv is damaged, or was changed.*\.a\.csv\.sha256"
        ):
            read_table(path, [])
    path.write_bytes(content)
    read_table(path, [])


def test_a_table_of_somebody_else_needs_no_checksum(tmp_path):
    (tmp_path / "a.csv").write_text("image_id,decision\n1,keep\n")
    assert read_table(tmp_path / "a.csv", ["decision"])["decision"].tolist() == ["keep"]


def test_common_tools_read_the_checksum(tmp_path):
    write_table(tmp_path / "a.csv", TABLE)
    done = subprocess.run(["sha256sum", "-c", ".a.csv.sha256"], cwd=tmp_path, check=False)
    assert done.returncode == 0

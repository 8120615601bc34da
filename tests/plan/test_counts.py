import pytest

from tests.plan.conftest import CONFIG, SCENES, resolved
from wsss.data.candidates import write_candidates
from wsss.data.index import ImageRecord, write_index
from wsss.plan.counts import Split, count_dataset, count_datasets, count_index


def test_an_index_is_counted_as_it_was_written(tmp_path):
    records = [
        ImageRecord("a", tmp_path / "a.jpg", "train", 100, 200, ("cat",)),
        ImageRecord('b, "c"', tmp_path / "b,c.jpg", "train", 300, 200, ("cat", "dog, small")),
        ImageRecord("d", tmp_path / "d.jpg", "ood", 10, 20, ()),
    ]
    write_index(tmp_path / "index.csv", records)
    write_candidates(tmp_path / "candidates.csv", records[2:], records[:2])
    found = count_index(tmp_path / "index.csv")
    assert found == {"train": Split(2, 0.04, 0.06, 1.5), "ood": Split(1, 0.0002, 0.0002, 0.0)}


def test_an_index_that_changed_is_counted_again(tmp_path):
    path = tmp_path / "index.csv"
    for number in (1, 2):
        lines = [f"{i},x.jpg,val,10,10,\n" for i in range(number)]
        path.write_text("image_id,path,split,height,width,labels\n" + "".join(lines))
        assert count_index(path)["val"].images == number


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n", "is no index"),
        ("", "is no index"),
        ("image_id,path,split,height,width,labels\na,b,val,x,1,\n", "without a size"),
        ("image_id,path,split,height,width,labels\na,b\n", "without a size"),
    ],
)
def test_what_is_no_index_is_said_so(tmp_path, text, said):
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(ValueError, match=said):
        count_index(tmp_path / "index.csv")


def test_scenes_are_known_before_they_are_drawn_and_others_are_not(tmp_path):
    scenes = resolved(SCENES)
    assert count_datasets(scenes, tmp_path) == {
        "s": {
            # A second class is drawn in 15 % of the images.
            "train": Split(40, 0.02, 0.02, 1.15),
            "val": Split(10, 0.02, 0.02, 1.15),
            "ood": Split(20, 0.02, 0.02, 0.0),
        }
    }
    assert count_datasets(resolved(CONFIG), tmp_path) == {}
    (tmp_path / "s").mkdir()
    header = "image_id,path,split,height,width,labels\n"
    (tmp_path / "s/index.csv").write_text(f"{header}a,a.jpg,train,10,10,car\n")
    assert count_dataset("s", scenes, tmp_path) == {"train": Split(1, 1e-4, 1e-4, 1.0)}

import numpy as np
import pytest

from tests import golden
from wsss.refine.affinity import affinity_from_edge, end_points, path_groups, reach, source_shape


def test_paths_of_radius_two_by_hand():
    straight, diagonal = path_groups(2)
    assert straight.tolist() == [[[0, 1], [0, 0]], [[1, 0], [0, 0]]]
    # The cells beside a diagonal are 1 / sqrt(2) of a cell away from it, hence on the path.
    assert diagonal[0].tolist() == [[1, -1], [0, -1], [1, 0], [0, 0]]
    assert diagonal[1].tolist() == [[1, 1], [0, 1], [1, 0], [0, 0]]


def test_paths_leave_out_cells_one_step_off_the_line():
    paths = {tuple(path[0]): path.tolist() for group in path_groups(4) for path in group}
    assert (2, 2) in paths and (4, 0) not in paths
    # (2, 0) lies 2 / sqrt(2) cells from the diagonal.
    assert [2, 0] not in paths[(2, 2)] and [1, 0] in paths[(2, 2)]


def test_path_table_equals_official():
    case = golden.load("irn_walk_a")
    groups = path_groups(case.json["hyper"]["radius_of_path_table"])
    golden.assert_close(case, "out_search_dst", end_points(groups))
    golden.assert_close(case, "out_path_lengths", np.array([g.shape[:2] for g in groups]))
    cells = np.concatenate([g.reshape(-1, 2) for g in groups])
    golden.assert_close(case, "out_path_cells", cells)


def test_affinity_and_sources_equal_official():
    case = golden.load("irn_walk_a")
    groups, edge = path_groups(10), case["in_edge"][0]
    affinity = affinity_from_edge(edge, groups)
    golden.assert_close(case, "out_affinity", affinity.reshape(1, len(affinity), -1))
    rows, columns = source_shape(groups, *edge.shape)
    sources = np.arange(edge.size).reshape(edge.shape)[:rows, reach(groups) :][:, :columns]
    golden.assert_close(case, "out_src_indices", sources.ravel())


def test_a_boundary_cell_cuts_what_crosses_it():
    edge = np.zeros((3, 7))
    edge[0, 4] = 0.75
    groups = path_groups(3)
    affinity = affinity_from_edge(edge, groups)
    by_end = {tuple(end): row for end, row in zip(end_points(groups), affinity, strict=True)}
    # Sources are the cells (0, 2), (0, 3), (0, 4): the boundary lies on both ends' side.
    np.testing.assert_allclose(by_end[(0, 2)], [[0.25, 0.25, 0.25]])
    np.testing.assert_allclose(by_end[(2, 0)], [[1.0, 1.0, 0.25]])


def test_errors():
    with pytest.raises(ValueError, match="raise it to 2"):
        path_groups(1)
    with pytest.raises(ValueError, match="3 x 4 cells"):
        affinity_from_edge(np.zeros((3, 4)), path_groups(3))

"""Clusters for the tests in this folder, one of a kind for each process of pytest."""

from collections.abc import Iterator

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.settings import missing
from tests.slurm.workflows import project, small
from tests.workflow.conftest import TINY


@pytest.fixture(scope="session")
def cluster():
    """A cluster without accounting: jobs are known to squeue alone."""
    yield from _running(accounting=False)


@pytest.fixture(scope="session")
def accounting_cluster():
    """A cluster with a database, in which sacct finds jobs."""
    yield from _running(accounting=True)


@pytest.fixture
def start_small(cluster):
    """Start small workflows, on the cluster without accounting unless told otherwise."""
    workflows = []

    def start(cluster=cluster, **options):
        workflows.append(small(cluster, **options))
        return workflows[-1]

    yield start
    for workflow in workflows:
        workflow.close()


@pytest.fixture
def start_project(cluster):
    """Start copies of the project, on the cluster without accounting unless told otherwise."""
    projects = []

    def start(cluster=cluster, config=TINY):
        projects.append(project(cluster, config))
        return projects[-1]

    yield start
    for one in projects:
        one.close()


@pytest.fixture(autouse=True)
def repaired(request):
    """Leave each test's cluster whole and idle for the next one."""
    names = {"cluster", "accounting_cluster"} & set(request.fixturenames)
    used = [request.getfixturevalue(name) for name in sorted(names)]
    yield
    for one in used:
        one.repair()


def _running(*, accounting: bool) -> Iterator[Cluster]:
    if sentence := missing(accounting=accounting):
        pytest.skip(sentence)
    found = Cluster.start(accounting=accounting)
    yield found
    found.stop()

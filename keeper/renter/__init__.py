"""A renter's way into a cluster: connected, jobs, files, a shell, figures.

``from keeper.renter import connect`` is all that a script needs; ``ionet cluster`` is made of the same.
"""

from keeper.renter.cluster import Cluster, NodeUnknown, NotConnectedInTime, connect
from keeper.renter.files import Moved, PathRefused, TransferFailed
from keeper.renter.helping import NodeSilent
from keeper.renter.jobs import HeadError, Job, JobRefused, JobUnknown, State, TokenRefused
from keeper.renter.packing import PackingRefused
from keeper.renter.place import ConnectedAlready, NotConnected, PlaceUnusable

__all__ = [
    "Cluster",
    "ConnectedAlready",
    "HeadError",
    "Job",
    "JobRefused",
    "JobUnknown",
    "Moved",
    "NodeSilent",
    "NodeUnknown",
    "NotConnected",
    "NotConnectedInTime",
    "PackingRefused",
    "PathRefused",
    "PlaceUnusable",
    "State",
    "TokenRefused",
    "TransferFailed",
    "connect",
]

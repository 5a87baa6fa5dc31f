"""A renter's folder: for its owner alone, whole or not there, one process at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.renter.place import ConnectedAlready, NotConnected, Place, PlaceUnusable
from tests.programs.world import key

ORDER = key("order").pubkey()


def test_what_is_kept_is_for_its_owner_alone(tmp_path: Path) -> None:
    place = Place(ORDER, tmp_path / "clusters")
    made = place.key()
    place.keep_token(bytes(32))
    assert place.folder.stat().st_mode & 0o777 == 0o700
    files = [each for each in place.folder.iterdir() if each.is_file()]
    assert sorted(each.name for each in files) == ["key", "token"]
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in files)
    assert bytes(Place(ORDER, tmp_path / "clusters").key()) == bytes(made)
    assert place.token() == "00" * 32
    place.keep_token(None)
    place.keep_token(None)
    with pytest.raises(NotConnected, match="there is no token yet"):
        place.token()


def test_a_folder_that_others_can_read_has_no_key(tmp_path: Path) -> None:
    (tmp_path / str(ORDER)).mkdir(mode=0o755)
    (tmp_path / str(ORDER)).chmod(0o755)
    with pytest.raises(PlaceUnusable, match="chmod 700 it"):
        Place(ORDER, tmp_path).key()
    assert list((tmp_path / str(ORDER)).iterdir()) == []


def test_a_key_that_is_none_is_said_and_kept(tmp_path: Path) -> None:
    place = Place(ORDER, tmp_path)
    place.make()
    (place.folder / "key").write_text("x")
    with pytest.raises(PlaceUnusable, match="delete it, and another one is made"):
        place.key()
    assert (place.folder / "key").read_text() == "x"


def test_one_process_is_connected(tmp_path: Path) -> None:
    place = Place(ORDER, tmp_path)
    with place.held(), pytest.raises(ConnectedAlready), Place(ORDER, tmp_path).held():
        pass
    with place.held():
        pass


def test_a_door_that_a_killed_process_left_is_nobodys(tmp_path: Path) -> None:
    place = Place(ORDER, tmp_path / ("long" * 30))
    with pytest.raises(NotConnected, match="ionet cluster connect"):
        place.knock(1)
    place.make()
    with place.door():
        place.knock(1).close()
        (place.folder / "left").hardlink_to(place.folder / "door")
    (place.folder / "left").rename(place.folder / "door")
    with pytest.raises(NotConnected):
        place.knock(1)
    with place.door():
        place.knock(1).close()
    assert not (place.folder / "door").exists()

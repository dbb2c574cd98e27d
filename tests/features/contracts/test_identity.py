from pathlib import Path

import pytest

from features.contracts.errors import ForeignPackageError
from features.contracts.identity import check_packages


def test_our_own_packages_pass() -> None:
    check_packages()


def test_a_foreign_package_is_named_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stray_features").mkdir()
    (tmp_path / "stray_features" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ForeignPackageError, match=f"'stray_features' is not Mallard's: it comes from {tmp_path}"):
        check_packages(("stray_features",))

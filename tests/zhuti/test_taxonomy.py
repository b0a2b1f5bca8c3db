from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from zhuti.taxonomy import Taxonomy, TaxonomyError

FILE = ROOT / "labels" / "taxonomy.yaml"


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return Taxonomy.load(FILE)


def test_two_levels_in_file_order(taxonomy: Taxonomy) -> None:
    assert len(taxonomy.codes) == 32
    assert len(taxonomy.theme_codes) == 11
    assert taxonomy.codes[0] == "political.loyalty"
    assert taxonomy.codes[-1] == "none.boilerplate"
    assert all(taxonomy.theme_codes[parent] == code.split(".")[0] for parent, code in zip(taxonomy.parents, taxonomy.codes, strict=True))
    assert taxonomy.leaf("cadres.young").zh == "年轻干部与干部储备"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "0 labels; one to 3"),
        (["cadres.young"] * 2, "stands twice"),
        (["cadres.young", "cadres.reform", "talent.service", "cadres.incentive"], "4 labels"),
        (["cadres.old"], "unknown leaf 'cadres.old'"),
        (["cadres.young", "overview.general"], "overview.general stands alone"),
        (["none.boilerplate", "cadres.young"], "none.boilerplate stands alone"),
    ],
)
def test_labels_that_do_not_fit(taxonomy: Taxonomy, labels: list[str], message: str) -> None:
    with pytest.raises(TaxonomyError, match=message):
        taxonomy.check_labels(labels)


def test_labels_that_fit(taxonomy: Taxonomy) -> None:
    taxonomy.check_labels(["cadres.young", "talent.service", "cadres.reform"])
    taxonomy.check_labels(["overview.general"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.pop("rules"), "'rules' is missing"),
        (lambda data: data["themes"]["cadres"].pop("zh"), "themes.cadres: 'zh' is missing"),
        (lambda data: data["themes"]["cadres"]["leaves"]["young"].update(include=""), "themes.cadres.leaves.young: 'include'"),
        (lambda data: data["themes"].pop("none"), "none.boilerplate"),
        (lambda data: data.update(themes=["cadres"]), "expected a mapping, found list"),
    ],
)
def test_a_broken_file_names_the_place(tmp_path: Path, change, message: str) -> None:
    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    change(data)
    broken = tmp_path / "taxonomy.yaml"
    broken.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    with pytest.raises(TaxonomyError, match=message):
        Taxonomy.load(broken)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match="No such file"):
        Taxonomy.load(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(TaxonomyError, match="not YAML"):
        Taxonomy.load(tmp_path / "bad.yaml")

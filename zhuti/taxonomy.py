"""The theme taxonomy: two levels, fixed label order, names, definitions and boundary rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from zhuti.errors import ZhutiError

_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is five times as fast
MAX_LABELS = 3
STAND_ALONE = frozenset({"overview.general", "none.boilerplate"})


class TaxonomyError(ZhutiError):
    """The taxonomy file is not what it must be, or a label does not fit the taxonomy."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of the taxonomy; ``code`` is ``theme.leaf``."""

    code: str
    zh: str
    en: str
    include: str
    exclude: str

    @property
    def parent(self) -> str:
        return self.code.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme with its leaves, in the order of the file."""

    code: str
    zh: str
    en: str
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True)
class Taxonomy:
    """Themes in file order; the order of :attr:`leaves` is the label order of every model."""

    version: int
    themes: tuple[Theme, ...]
    rules: tuple[str, ...]

    @classmethod
    def load(cls, path: Path) -> Taxonomy:
        """Read and check a taxonomy file.

        :param path: a YAML file such as ``labels/taxonomy.yaml``.
        :raises TaxonomyError: naming the file, the place and what is missing there.
        """
        try:
            data = yaml.load(path.read_text(encoding="utf-8"), _SafeLoader)
        except OSError as error:
            raise TaxonomyError(f"{path}: cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise TaxonomyError(f"{path}: not UTF-8: byte {error.start}") from error
        except yaml.YAMLError as error:
            raise TaxonomyError(f"{path}: not YAML: {error}") from error
        return cls.parse(data, str(path))

    @classmethod
    def parse(cls, data: Any, source: str) -> Taxonomy:
        """As :meth:`load`, from parsed YAML; ``source`` is named in errors."""
        top = _fields(data, ("version", "themes", "rules"), source)
        themes = []
        for code, theme in _fields(top["themes"], (), f"{source}: themes").items():
            place = f"{source}: themes.{code}"
            theme = _fields(theme, ("zh", "en", "leaves"), place)
            leaves = []
            for short, leaf in _fields(theme["leaves"], (), f"{place}.leaves").items():
                leaf = _fields(leaf, ("zh", "en", "include", "exclude"), f"{place}.leaves.{short}")
                leaves.append(Leaf(f"{code}.{short}", leaf["zh"], leaf["en"], leaf["include"], leaf["exclude"]))
            themes.append(Theme(code, theme["zh"], theme["en"], tuple(leaves)))
        if not isinstance(top["version"], int):
            raise TaxonomyError(f"{source}: version: expected a whole number, found {top['version']!r}")
        taxonomy = cls(top["version"], tuple(themes), tuple(top["rules"]))
        missing = STAND_ALONE - set(taxonomy.codes)
        if missing:
            raise TaxonomyError(f"{source}: the stand-alone leaves {sorted(missing)} are missing")
        return taxonomy

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        return tuple(leaf for theme in self.themes for leaf in theme.leaves)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Leaf codes in label order."""
        return tuple(leaf.code for leaf in self.leaves)

    @cached_property
    def theme_codes(self) -> tuple[str, ...]:
        """Theme codes in label order."""
        return tuple(theme.code for theme in self.themes)

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """For each leaf in label order, the position of its theme in :attr:`theme_codes`."""
        return tuple(self.theme_codes.index(leaf.parent) for leaf in self.leaves)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {code: position for position, code in enumerate(self.codes)}

    def position(self, code: str) -> int:
        """:return: the position of a leaf in label order. :raises TaxonomyError: for an unknown code."""
        try:
            return self._positions[code]
        except KeyError:
            raise TaxonomyError(f"unknown leaf {code!r}; `zhuti taxonomy` lists the {len(self.codes)} leaves") from None

    def leaf(self, code: str) -> Leaf:
        """:return: the leaf of a code. :raises TaxonomyError: for an unknown code."""
        return self.leaves[self.position(code)]

    def check_labels(self, labels: Sequence[str]) -> None:
        """Check the labels of one sentence.

        :param labels: leaf codes, the primary first.
        :raises TaxonomyError: unless they are one to three different known codes, and a stand-alone leaf stands alone.
        """
        if not 1 <= len(labels) <= MAX_LABELS:
            raise TaxonomyError(f"{len(labels)} labels; one to {MAX_LABELS} are accepted")
        for code in labels:
            self.position(code)
        if len(set(labels)) < len(labels):
            raise TaxonomyError(f"a label stands twice in {list(labels)}")
        alone = STAND_ALONE.intersection(labels)
        if alone and len(labels) > 1:
            raise TaxonomyError(f"{sorted(alone)[0]} stands alone, but was given with others: {list(labels)}")


def _fields(data: Any, names: tuple[str, ...], place: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise TaxonomyError(f"{place}: expected a mapping, found {type(data).__name__}")
    for name in names:
        if data.get(name) in (None, "", [], {}):
            raise TaxonomyError(f"{place}: {name!r} is missing or empty")
    return data

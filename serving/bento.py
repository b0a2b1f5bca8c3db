"""Build the Bento: ``make bento``, or ``python -m serving.bento``. It needs no network and holds the model that ships.

BentoML asks for ``uv`` even where it locks no packages, and installs it where it is missing; the extra ``bento`` brings it.
The Bento goes to BENTOML_HOME, or ~/bentoml.
"""

from __future__ import annotations

import os
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

from zhuti.artifact import DEFAULT, MODELS, Artifact
from zhuti.errors import ZhutiError

if TYPE_CHECKING:
    import bentoml

ROOT = Path(__file__).resolve().parent.parent


def build() -> bentoml.Bento:
    """:return: the Bento, in BentoML's store. :raises ZhutiError: if the model is damaged or uv is missing."""
    artifact = Artifact.load(MODELS / DEFAULT)
    if find_spec("uv") is None:
        raise ZhutiError("BentoML builds with uv; install the extra in the clone: pip install -e '.[bento]'")
    import bentoml

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return bentoml.build(
        "serving.service:Zhuti",
        name="zhuti-service",  # BentoML first tries a tag as MODULE:NAME, so it must not be that of an installed package
        build_ctx=str(ROOT),
        include=["/zhuti/", "/serving/", f"/models/{DEFAULT}/", "/pyproject.toml", "/LICENSE"],
        exclude=["__pycache__/"],
        description=str(project["description"]),
        labels={"model": artifact.name, "version": str(project["version"])},
        python={"packages": list(project["dependencies"]), "lock_packages": False},
    )


if __name__ == "__main__":
    try:
        print(build().tag)
    except ZhutiError as error:
        sys.exit(f"zhuti: {error}")

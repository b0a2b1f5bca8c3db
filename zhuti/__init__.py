"""zhuti (主题): sentence-level theme tagging of Chinese official reports.

>>> from zhuti import Tagger
>>> Tagger.load().tag("全市举办干部培训班12期。")[0].primary
'ideology.training'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zhuti.tagger import Tagger

__all__ = ["Tagger"]


def __getattr__(name: str) -> Any:
    # `import zhuti` stays light: numpy and the runtime come with the first use of Tagger.
    if name == "Tagger":
        from zhuti.tagger import Tagger

        return Tagger
    raise AttributeError(f"module 'zhuti' has no attribute {name!r}")

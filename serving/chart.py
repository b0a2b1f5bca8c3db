"""An SVG chart of theme shares: one stacked bar a group, a legend, nothing to load from anywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TextIO
from xml.sax import saxutils

from rich.cells import cell_len, set_cell_size

_COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#edc948", "#b07aa1", "#ff9da7", "#9c755f", "#bab0ac", "#5f6b6d")
_FONT = "'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
_BARS, _ROW, _MARGIN, _LEGEND_COLUMN = 640, 30, 16, 215
_CELL = 6.8  # px of half a Chinese character
_LONGEST = 64  # such halves in a bar's name; a longer one is cut before its end
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHOWN = 0.05  # narrower pieces carry no figure


def write_chart(rows: Sequence[tuple[str, Mapping[str, float]]], names: Mapping[str, str], out: TextIO) -> None:
    """Write the chart.

    :param rows: name of each bar with its shares, which add up to 1, by theme code.
    :param names: theme codes with the names to show, in the order of the pieces.
    """
    colours = dict(zip(names, cycle(_COLOURS), strict=False))
    shown = [_cut(label) for label, _ in rows]
    first_bar = _MARGIN + int(max(220, 10 + _CELL * max(map(cell_len, shown), default=0)))
    width = first_bar + _BARS + 2 * _MARGIN
    columns = (width - 2 * _MARGIN) // _LEGEND_COLUMN
    legend = -(-len(names) // columns) * 24 + _MARGIN
    height = legend + len(rows) * _ROW + 2 * _MARGIN
    out.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" ')
    out.write(f'font-family="{_FONT}" font-size="13" role="img">\n<title>主题构成 theme shares</title>\n')
    out.write('<rect width="100%" height="100%" fill="#fff"/>\n')
    for place, (code, name) in enumerate(names.items()):
        x, y = _MARGIN + place % columns * _LEGEND_COLUMN, _MARGIN + place // columns * 24
        out.write(f'<rect x="{x}" y="{y}" width="14" height="14" fill="{colours[code]}"/>')
        out.write(f'<text x="{x + 20}" y="{y + 12}">{_escaped(name)}</text>\n')
    for row, (label, shares) in enumerate(rows):
        top = legend + _MARGIN + row * _ROW
        out.write(f'<text x="{first_bar - 10}" y="{top + 16}" text-anchor="end">{_escaped(shown[row])}</text>\n')
        x_bar = float(first_bar)
        for code, name in names.items():
            piece = shares[code] * _BARS
            if not piece:
                continue
            out.write(f'<rect x="{x_bar:.1f}" y="{top}" width="{piece:.1f}" height="{_ROW - 8}" fill="{colours[code]}">')
            out.write(f"<title>{_escaped(label)}: {_escaped(name)} {shares[code]:.1%}</title></rect>\n")
            if shares[code] >= _SHOWN:
                out.write(
                    f'<text x="{x_bar + piece / 2:.1f}" y="{top + 15}" text-anchor="middle" font-size="11">{shares[code]:.0%}</text>\n'
                )
            x_bar += piece
    out.write("</svg>\n")


def _cut(label: str) -> str:
    if cell_len(label) <= _LONGEST:
        return label
    end = label[-12:]
    return set_cell_size(label, _LONGEST - cell_len(end) - 1).rstrip() + "…" + end


def _escaped(text: str) -> str:
    return saxutils.escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text))

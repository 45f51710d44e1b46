"""Horizontal bars on a logarithmic axis, as one SVG file that needs nothing beside it. It brings its own
background and follows the reader's choice of light or dark, so that it can stand in any page."""
import math
from dataclasses import dataclass
from html import escape

WIDTH, MARGIN, LABELS, VALUES = 880, 20, 230, 80
BAR, STEP, HEAD, FOOT = 14, 21, 50, 34

STYLE = """
  .ground { fill: #ffffff } .title { fill: #1f2328; font-weight: 600; font-size: 14px }
  .note, .tick { fill: #59636e; font-size: 11px } .name, .value { fill: #1f2328; font-size: 12px }
  .strong { font-weight: 600 } .grid { stroke: #d8dee4 } .spread { stroke: #1f2328; stroke-opacity: 0.55 }
  .ours { fill: #2da06b } .peer { fill: #8c96a3 } .floor { fill: #c9d0d8 }
  .cold { fill: #6f9fd8 } .prepared { fill: #3f9fa8 } .warm { fill: #2da06b } .cached { fill: #b58a1b }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } .title, .name, .value { fill: #e6edf3 } .note, .tick { fill: #9198a1 }
    .grid { stroke: #2b323b } .spread { stroke: #e6edf3 } .peer { fill: #6e7985 } .floor { fill: #414a55 }
    .cold { fill: #4a7fc1 } .prepared { fill: #338a93 } .warm, .ours { fill: #2b915f } .cached { fill: #a57d17 }
  }
"""


@dataclass
class Bar:
    name: str
    value: float
    text: str                # the value as it is to be read
    kind: str                # a class of STYLE: ours, peer, floor, cold, prepared, warm, cached
    low: float = 0.0         # ends of the spread; none when low is 0
    high: float = 0.0
    strong: bool = False
    gap: bool = False        # stands a little away from the bar above


@dataclass
class Panel:
    title: str
    note: str                # what the logarithmic axis counts, and which way is good
    bars: list


def scale(low, high):
    """(first, last) of an axis whose ends are 1, 2 or 5 times a power of ten and hold all values with room
    for the shortest bar."""
    def steps():
        for power in range(-9, 13):
            for digit in (1, 2, 5):
                yield digit * 10.0 ** power
    first = max(step for step in steps() if step <= low / 1.25)
    last = min(step for step in steps() if step >= high)
    return first, last


def ticks(first, last):
    """Every 1, 2 and 5 on a short axis, powers of ten on a long one."""
    digits = (1, 2, 5) if last / first <= 2000 else (1,)
    found = [digit * 10.0 ** power for power in range(-9, 13) for digit in digits]
    return [tick for tick in found if first * 0.999 <= tick <= last * 1.001]


def number(value):
    return f"{value:g}" if value < 10_000 else f"{value:,.0f}"


def position(value, first, last, width):
    """Pixels from the axis' left end."""
    value = min(max(value, first), last)
    return width * math.log(value / first) / math.log(last / first)


def height_of(panel):
    return HEAD + STEP * len(panel.bars) + 6 * sum(bar.gap for bar in panel.bars) + FOOT


def draw_panel(panel, top, out):
    left, width = MARGIN + LABELS, WIDTH - 2 * MARGIN - LABELS - VALUES
    values = [value for bar in panel.bars for value in (bar.value, bar.low or bar.value, bar.high or bar.value)]
    first, last = scale(min(values), max(values))
    bottom = top + height_of(panel) - FOOT
    out.append(f'<text class="title" x="{MARGIN}" y="{top + 20}">{escape(panel.title)}</text>')
    out.append(f'<text class="note" x="{MARGIN}" y="{top + 36}">{escape(panel.note)}</text>')
    for tick in ticks(first, last):
        x = left + position(tick, first, last, width)
        out.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top + HEAD - 4}" y2="{bottom}"/>')
        out.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{number(tick)}</text>')
    y = top + HEAD
    for bar in panel.bars:
        y += 6 * bar.gap
        middle, end = y + BAR / 2, position(bar.value, first, last, width)
        strong = " strong" if bar.strong else ""
        out.append(f'<text class="name{strong}" x="{left - 8}" y="{middle + 4}" text-anchor="end">'
                   f"{escape(bar.name)}</text>")
        out.append(f'<rect class="{bar.kind}" x="{left}" y="{y}" width="{end:.1f}" height="{BAR}" rx="2"/>')
        if bar.low:
            low, high = (left + position(value, first, last, width) for value in (bar.low, bar.high))
            out.append(f'<path class="spread" fill="none" d="M{low:.1f} {middle - 3}v6M{low:.1f} {middle}'
                       f'H{high:.1f}M{high:.1f} {middle - 3}v6"/>')
            end = max(end, high - left)
        out.append(f'<text class="value{strong}" x="{left + end + 6:.1f}" y="{middle + 4}">{escape(bar.text)}</text>')
        y += STEP


def draw(panels, caption):
    """The whole picture. Panels without bars are left out."""
    panels = [panel for panel in panels if panel.bars]
    height = sum(map(height_of, panels)) + 2 * MARGIN + 10
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
           f'height="{height}" font-family="system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif" role="img">',
           f"<title>{escape(caption)}</title>", f"<style>{STYLE}</style>",
           f'<rect class="ground" width="{WIDTH}" height="{height}" rx="6"/>']
    top = MARGIN / 2
    for panel in panels:
        draw_panel(panel, top, out)
        top += height_of(panel)
    out.append(f'<text class="note" x="{MARGIN}" y="{height - 14}">{escape(caption)}</text>')
    return "\n".join([*out, "</svg>", ""])

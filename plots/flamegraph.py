"""A flame graph from the text of `perf script` (samples with call chains: perf record -g).

    python3 plots/flamegraph.py SCRIPT.txt OUT.svg --title "swiss_flat"

A box is a function, as wide as the share of samples in which it was on the stack; callers lie below their callees.
The order from left to right is the alphabet, not time. Click a box to spread it over the width, click the lowest to
return. Exit codes: 0 drawn; 2 no samples in the input; 4 the picture cannot be written.
"""
import argparse
import hashlib
import html
import re
import sys

WIDTH, ROW, TOP, SIDE, FONT, LETTER = 1200, 18, 64, 12, 11.5, 6.9
SHARE_MIN = 0.0004  # thinner boxes are left out: they are less than half a pixel wide
FRAME = re.compile(r"^\s+(?:[0-9a-f]+\s+)?(.*)$")
SYMBOL = re.compile(r"^(.*)\+0x[0-9a-f]+ \((.*)\)$|^(.*?) \((.*)\)$")


def function_name(frame):
    """Shortens 'run_get+0x1f (/usr/bin/mapbench)' to 'run_get'; a frame without a symbol keeps the file it lies in."""
    match = SYMBOL.match(frame)
    if not match:
        return frame.strip() or "[unknown]"
    symbol, module = (match.group(1), match.group(2)) if match.group(1) is not None else match.group(3, 4)
    if symbol.strip() and symbol.strip() != "[unknown]":
        return symbol.strip()
    return f"[{module.strip('[]').split('/')[-1]}]"


def stacks(lines):
    """Returns {(outermost, ..., innermost): samples}. A sample is a line that starts at the margin, then its frames from the
    innermost outwards, each indented, then an empty line. Samples without a single frame are counted by command."""
    found, frames, header = {}, [], None

    def finish():
        if header is not None:
            stack = (header, *reversed(frames)) if frames else (header, "[no call chain]")
            found[stack] = found.get(stack, 0) + 1
    for line in lines:
        line = line.rstrip("\n")
        if not line.strip() or line.startswith("#"):
            finish()
            frames, header = [], None
        elif not line[0].isspace():
            finish()
            frames, header = [], command_of(line)
        elif header is not None:
            frames.append(function_name(FRAME.match(line).group(1)))
    finish()
    return found


def command_of(line):
    """Returns the command, which may hold blanks and stands before the thread's number."""
    match = re.match(r"(.*?)\s+-?\d+(?:/-?\d+)?\s", line)
    return match.group(1) if match else line.split()[0]


def tree(found):
    """Returns nested {name: [samples, children]} with one root."""
    root = [0, {}]
    for stack, samples in found.items():
        node = root
        node[0] += samples
        for name in stack:
            node = node[1].setdefault(name, [0, {}])
            node[0] += samples
    return root


def colour(name):
    """Chooses a colour: warm for code, blue-grey for what has no symbol; the same function has the same colour in every
    graph."""
    digest = hashlib.sha1(name.encode("utf-8", "replace")).digest()
    if name.startswith("["):
        return f"hsl(210,18%,{74 + digest[0] % 10}%)"
    return f"hsl({18 + digest[0] % 34},{68 + digest[1] % 20}%,{66 + digest[2] % 12}%)"


def boxes(node, name, depth, left, total, out):
    share = node[0] / total
    if share < SHARE_MIN:
        return
    out.append((name, depth, left / total, share, node[0]))
    for child in sorted(node[1]):
        boxes(node[1][child], child, depth + 1, left, total, out)
        left += node[1][child][0]


def picture(found, title):
    root, out = tree(found), []
    boxes(root, "all", 0, 0, root[0], out)
    height = TOP + (max(depth for _n, depth, *_ in out) + 1) * ROW + 30
    inner = WIDTH - 2 * SIDE
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
             f'font-family="DejaVu Sans Mono, Consolas, monospace" font-size="{FONT}">'
             f'<title>{html.escape(title)}</title><rect width="100%" height="100%" fill="#fff"/>'
             f'<text x="{SIDE}" y="26" font-family="DejaVu Sans, sans-serif" font-size="17" font-weight="bold" '
             f'fill="#1c2430">{html.escape(title)}</text>'
             f'<text x="{SIDE}" y="46" font-family="DejaVu Sans, sans-serif" fill="#5c6773">{root[0]:,} samples; width: '
             'share of samples, callers below callees; click a box to enlarge it, the lowest to return</text>'
             '<g id="boxes">']
    for name, depth, left, share, samples in out:
        x, width, y = SIDE + left * inner, share * inner, height - 30 - (depth + 1) * ROW
        label = html.escape(visible(name, width))
        parts.append(
            f'<g data-d="{depth}" data-l="{left:.6f}" data-s="{share:.6f}" data-n="{html.escape(name)}">'
            f'<title>{html.escape(name)}: {100 * share:.2f} % ({samples:,} samples)</title>'
            f'<rect x="{x:.2f}" y="{y}" width="{max(0.3, width - 0.5):.2f}" height="{ROW - 1}" rx="1.5" '
            f'fill="{colour(name)}"/><text x="{x + 4:.2f}" y="{y + 13}" fill="#1c2430">{label}</text></g>')
    parts.append(f"</g><script><![CDATA[{SCRIPT}]]></script></svg>\n")
    return "".join(parts)


def visible(name, width):
    letters = int((width - 7) / LETTER)
    return name if len(name) <= letters else name[:letters - 1] + "…" if letters >= 4 else ""


SCRIPT = f"""
const all = Array.from(document.querySelectorAll("#boxes > g"));
const inner = {WIDTH - 2 * SIDE};
function show(left, share, depth) {{
  for (const g of all) {{
    const d = Number(g.dataset.d), l = Number(g.dataset.l), s = Number(g.dataset.s);
    const below = d < depth && l <= left + 1e-6 && l + s >= left + share - 1e-6;
    const above = d >= depth && l >= left - 1e-6 && l + s <= left + share + 1e-6;
    g.style.display = below || above ? "" : "none";
    const x = {SIDE} + (below ? 0 : (l - left) / share) * inner, w = (below ? 1 : s / share) * inner;
    const [rect, text] = [g.querySelector("rect"), g.querySelector("text")];
    rect.setAttribute("x", x);
    rect.setAttribute("width", Math.max(0.3, w - 0.5));
    rect.setAttribute("opacity", below ? 0.5 : 1);
    text.setAttribute("x", x + 4);
    const letters = Math.floor((w - 7) / {LETTER}), name = g.dataset.n;
    text.textContent = name.length <= letters ? name : letters >= 4 ? name.slice(0, letters - 1) + "\\u2026" : "";
  }}
}}
for (const g of all) g.addEventListener("click", () => show(Number(g.dataset.l), Number(g.dataset.s), Number(g.dataset.d)));
"""


def main(arguments):
    parser = argparse.ArgumentParser(prog="flamegraph", description="Draws a flame graph from the text of perf script.")
    parser.add_argument("script", help="output of perf script, or - for standard input")
    parser.add_argument("out", help="the SVG file to write")
    parser.add_argument("--title", default="Flame graph")
    options = parser.parse_args(arguments)
    sys.setrecursionlimit(20000)  # a stack may be deep
    try:
        if options.script == "-":
            found = stacks(sys.stdin)
        else:
            with open(options.script, encoding="utf-8", errors="replace") as lines:
                found = stacks(lines)
    except OSError as error:
        print(f"flamegraph: cannot read {options.script}: {error.strerror}", file=sys.stderr)
        return 2
    if not found:
        print(f"flamegraph: no samples in {options.script}: nothing was measured, or perf record ran without -g",
              file=sys.stderr)
        return 2
    text = picture(found, options.title)
    # XML has no way to write most control characters
    text = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
    try:
        with open(options.out, "w", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        print(f"flamegraph: cannot write {options.out}: {error.strerror}", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Puts names beside points without overlap: each takes the best of many places, the crowded points first."""
import math

DISTANCES = (10, 16, 24, 34, 46, 60, 78)
ANGLES = [math.radians(a) for a in (0, 25, -25, 50, -50, 90, -90, 130, -130, 155, -155, 180)]


def overlap(a, b):
    """Returns the common area of two boxes (x0, y0, x1, y1)."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def box_at(x, y, angle, distance, width, height):
    """Returns the box of a text whose nearest edge is `distance` away from the point in a direction."""
    centre_x = x + math.cos(angle) * (distance + width / 2)
    centre_y = y + math.sin(angle) * (distance + height / 2)
    return centre_x - width / 2, centre_y - height / 2, centre_x + width / 2, centre_y + height / 2


def choose(points, sizes, bounds, path=(), radius=9):
    """Chooses places. points {name: (x, y)}, sizes {name: (width, height)}, bounds and the corners of a line of horizontal
    and vertical pieces to keep off, all in pixels. Returns {name: (box, distance)}."""
    obstacles = [(x - radius, y - radius, x + radius, y + radius) for x, y in points.values()]
    for (x0, y0), (x1, y1) in zip(path, path[1:]):
        obstacles.append((min(x0, x1) - 1, min(y0, y1) - 1, max(x0, x1) + 1, max(y0, y1) + 1))

    def crowd(name):
        x, y = points[name]
        return sum(1 / (1 + math.hypot(x - px, y - py)) for px, py in points.values())
    placed = {}
    for name in sorted(points, key=lambda name: (-crowd(name), name)):
        x, y = points[name]
        best = None
        for distance in DISTANCES:
            for turn, angle in enumerate(ANGLES):
                box = box_at(x, y, angle, distance, *sizes[name])
                width, height = sizes[name]
                outside = width * height - overlap(box, bounds)
                hidden = sum(overlap(box, other) for other in obstacles)
                hidden += sum(overlap(box, other) for other, _ in placed.values())
                cost = 20 * outside + 8 * hidden + 2 * distance + turn
                if best is None or cost < best[0]:
                    best = (cost, box, distance)
        placed[name] = best[1:]
    return placed


def place(axes, named, path=()):
    """Places texts. named: {text: ((x, y) in data coordinates, colour)}. Draws the texts, with a line to the point from
    afar; they keep off the path, corners in data coordinates."""
    figure = axes.figure
    renderer = figure.canvas.get_renderer()
    points, sizes, texts = {}, {}, {}
    for name, (point, _colour) in named.items():
        points[name] = tuple(axes.transData.transform(point))
        texts[name] = axes.text(*point, name, size=8.5, ha="left", va="bottom", zorder=6)
        extent = texts[name].get_window_extent(renderer)
        sizes[name] = (extent.width + 2, extent.height)
    frame = axes.get_window_extent(renderer)
    to_data = axes.transData.inverted()
    corners = [tuple(axes.transData.transform(corner)) for corner in path]
    chosen = choose(points, sizes, (frame.x0, frame.y0, frame.x1, frame.y1), corners)
    for name, (box, distance) in chosen.items():
        texts[name].set_position(to_data.transform((box[0] + 1, box[1])))
        if distance > 18:
            x, y = points[name]
            near = (min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3]))
            (x0, y0), (x1, y1) = to_data.transform((x, y)), to_data.transform(near)
            axes.plot([x0, x1], [y0, y1], color=named[name][1], linewidth=0.6, alpha=0.7, zorder=5)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws what bench_sim_scale --json prints: sim_scale.py < rows.json > picture.svg.

Both axes are logarithmic: points of a tile, and milliseconds of host time for all tiles together.
"""
import json
import math
import sys

WIDTH, HEIGHT = 720, 430
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 50, 60
LINES = (("full_s", "#b5482a", "data and time"), ("timing_s", "#2a62b5", "timing only"))


def powers(low, high, base):
    return [base ** k for k in range(round(math.log(low, base)), round(math.log(high, base)) + 1)]


def short(n):
    return "%d M" % (n >> 20) if n >= 1 << 20 else "%d k" % (n >> 10) if n >= 1 << 10 else "%d" % n


class Picture:
    def __init__(self, rows):
        self.rows = rows
        self.points = [r["points"] for r in rows]
        times = [1e3 * r[key] for r in rows for key, _, _ in LINES]
        self.low = 10 ** math.floor(math.log10(min(times)))
        self.high = 10 ** math.ceil(math.log10(max(times)))
        self.out = []

    def x(self, points):
        low, high = math.log(min(self.points)), math.log(max(self.points))
        return LEFT + (math.log(points) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, ms):
        part = math.log(ms / self.low) / math.log(self.high / self.low)
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    def text(self, x, y, words, anchor="middle", color="#222", size=13):
        self.out.append('<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s" font-size="%d">%s</text>'
                        % (x, y, anchor, color, size, words))

    def line(self, x1, y1, x2, y2):
        self.out.append('<path d="M%.1f %.1f L%.1f %.1f" stroke="#ddd"/>' % (x1, y1, x2, y2))

    def axes(self):
        for points in self.points:
            self.line(self.x(points), TOP, self.x(points), HEIGHT - BOTTOM)
            self.text(self.x(points), HEIGHT - BOTTOM + 18, short(points), size=11)
        for ms in powers(self.low, self.high, 10):
            self.line(LEFT, self.y(ms), WIDTH - RIGHT, self.y(ms))
            self.text(LEFT - 8, self.y(ms) + 4, "%g" % ms, "end", size=11)
        middle = (LEFT + WIDTH - RIGHT) / 2
        self.text(middle, HEIGHT - 16, "points of a tile")
        self.text(middle, 18, "host time in ms of %s points, cut into tiles"
                  % "{:,}".format(self.rows[0]["points"] * self.rows[0]["tiles"]), size=14)
        self.text(middle, 36, "{:,} cycles with the largest tiles, {:,} with the smallest".format(
            self.rows[0]["cycles"], self.rows[-1]["cycles"]), size=11)

    def curve(self, key, color, name):
        at = [(self.x(r["points"]), self.y(1e3 * r[key])) for r in self.rows]
        self.out.append('<path d="M%s" fill="none" stroke="%s" stroke-width="2"/>'
                        % (" L".join("%.1f %.1f" % p for p in at), color))
        for p in at:
            self.out.append('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (p + (color,)))
        x, y = max(at)
        self.text(x + 10, y + 4, name, "start", color)

    def draw(self):
        self.axes()
        for line in LINES:
            self.curve(*line)
        return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif">'
                '<rect width="100%%" height="100%%" fill="#fff"/>\n%s\n</svg>'
                % (WIDTH, HEIGHT, "\n".join(self.out)))


if __name__ == "__main__":
    print(Picture(sorted(json.load(sys.stdin), key=lambda r: -r["points"])).draw())

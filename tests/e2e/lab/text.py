"""Text for a terminal: widths as they are seen, tables, calm progress.

A Japanese character takes two columns; str.ljust counts one.

SPDX-License-Identifier: BSD-2-Clause
"""

import os
import shutil
import sys
import unicodedata


def width(text):
    """Columns that the text takes in a terminal."""
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def fit(text, columns):
    """Exactly so many columns wide: padded, or cut with an ellipsis."""
    if width(text) > columns:
        while text and width(text) > columns - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (columns - width(text))


def wrap(text, columns):
    """Lines of at most so many columns, broken at spaces where possible."""
    lines, line = [], ""
    for word in text.split():
        while width(word) > columns:
            room = columns - (width(line) + 1 if line else 0)
            if room < 8:
                lines.append(line)
                line, room = "", columns
            cut = 0
            while width(word[:cut + 1]) <= room:
                cut += 1
            lines.append(f"{line} {word[:cut]}" if line else word[:cut])
            line, word = "", word[cut:]
        if not line:
            line = word
        elif width(line) + 1 + width(word) <= columns:
            line += " " + word
        else:
            lines.append(line)
            line = word
    return lines + [line] if line or not lines else lines


class Terminal:
    """Standard output, with colours only where somebody looks at it."""

    STYLES = {"good": "32", "bad": "1;31", "held": "33", "faint": "2",
              "title": "1"}

    def __init__(self, out=sys.stdout):
        self.out = out
        self.is_tty = out.isatty()
        self.colours = (self.is_tty and "NO_COLOR" not in os.environ
                        and os.environ.get("TERM") != "dumb")
        self.columns = min(120, max(72, shutil.get_terminal_size(
            (100, 24)).columns if self.is_tty else 100))

    def style(self, name, text):
        if not self.colours or not name:
            return text
        return f"\033[{self.STYLES[name]}m{text}\033[0m"

    def say(self, text=""):
        print(text, file=self.out, flush=True)

    def title(self, text):
        self.say()
        self.say(self.style("title", text))

    def progress(self, text):
        """A line that the next one may overwrite."""
        if self.is_tty:
            self.out.write("\r\033[K" + fit(text, self.columns - 1))
            self.out.flush()
        else:
            self.say(text)

    def progress_end(self):
        if self.is_tty:
            self.out.write("\r\033[K")
            self.out.flush()

    def table(self, heads, widths, rows):
        """rows: lists of cells, a cell is text or (style, text); None is
        a rule.  Cells are wrapped to their column."""
        self.say(self.style("faint", "  ".join(
            fit(h, w) for h, w in zip(heads, widths)).rstrip()))
        self.say(self.style("faint", "  ".join("-" * w for w in widths)))
        for row in rows:
            cells = [c if isinstance(c, tuple) else (None, c) for c in row]
            texts = [wrap(text, w) for (_, text), w in zip(cells, widths)]
            for i in range(max(map(len, texts))):
                line = []
                for (style, _), lines, w in zip(cells, texts, widths):
                    text = fit(lines[i] if i < len(lines) else "", w)
                    line.append(self.style(style, text))
                self.say("  ".join(line).rstrip())

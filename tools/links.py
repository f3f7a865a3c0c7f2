"""Checks that relative links in the Markdown files named on the command line lead somewhere: the file exists and,
where the link names a heading, so does the heading. Prints one line for each that does not."""

import os
import re
import sys

LINK = re.compile(r"\[[^\]\[]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
REFERENCE = re.compile(r"^\s*\[[^\]]+\]:\s+(\S+)")


def prose(path):
    """Numbered lines outside code fences, with inline code removed."""
    fenced = False
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced:
            yield number, line


def anchors(path):
    """The fragment that GitHub gives each heading."""
    seen = {}
    for _, line in prose(path):
        heading = re.match(r"#{1,6}\s+(.*?)\s*#*\s*$", line)
        if not heading:
            continue
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1)).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        yield slug if count == 0 else f"{slug}-{count}"


def broken(path):
    for number, line in prose(path):
        text = re.sub(r"`[^`]*`", lambda code: "x" * len(code.group()), line)
        targets = LINK.findall(text) + REFERENCE.findall(text)
        for target in targets:
            if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", target):
                continue
            name, _, fragment = target.partition("#")
            file = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
            if not os.path.exists(file):
                yield f"{path}:{number}: {target}: no such file"
            elif fragment and file.endswith(".md") and fragment not in anchors(file):
                yield f"{path}:{number}: {target}: no such heading"


wrong = [line for path in sys.argv[1:] for line in broken(path)]
print("\n".join(wrong), end="\n" if wrong else "")
sys.exit(1 if wrong else 0)

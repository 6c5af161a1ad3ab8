"""What the pictures have in common: colours for light and dark, text whose width is known, and the document."""

from html import escape

# One pair each: light, dark. As GitHub's own, so that a picture lies in its page.
COLOURS = {"ink": ("#1f2328", "#e6edf3"), "pale": ("#59636e", "#9198a1"), "back": ("#f6f8fa", "#151b23"), "line": ("#d1d9e0", "#3d444d"),
           "good": ("#1a7f37", "#3fb950"), "bad": ("#cf222e", "#f85149"), "odd": ("#9a6700", "#d29922"), "head": ("#0550ae", "#79c0ff"),
           "wait": ("#afb8c1", "#656c76"), "lock": ("#a5c8f0", "#31567f"), "work": ("#e8912d", "#d27a1b"), "run": ("#4ac26b", "#2ea043"),
           "dark": ("#1f2328", "#ffffff")}


def colours(number):
    return "".join(f"--{name}:{pair[number]};" for name, pair in COLOURS.items())


STYLE = (f":root{{{colours(0)}}}@media(prefers-color-scheme:dark){{:root{{{colours(1)}}}}}"
         "text{fill:var(--ink);white-space:pre}.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}"
         ".sans{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}")


def text(x, y, words, kind="sans", size=13, colour=None, anchor=None, width=None, bold=False):
    """`width`: the text is squeezed or stretched to it, whatever fonts there are."""
    more = (f' style="fill:var(--{colour})"' if colour else "") + (f' text-anchor="{anchor}"' if anchor else "") + \
           (f' textLength="{width:g}" lengthAdjust="spacingAndGlyphs"' if width else "") + (' font-weight="bold"' if bold else "")
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" font-size="{size:g}"{more}>{escape(words)}</text>'


def box(x, y, width, height, colour, round=2):
    return f'<rect x="{x:g}" y="{y:g}" width="{max(width, 0.5):.5g}" height="{height:g}" rx="{round}" style="fill:var(--{colour})"/>'


def document(width, height, title, parts):
    frame = (f'<rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="6" '
             'style="fill:var(--back);stroke:var(--line)"/>')
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">',
                      f"<style>{STYLE}</style>", frame, *parts, "</svg>"]) + "\n"

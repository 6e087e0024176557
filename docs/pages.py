"""The documentation as HTML, for ``make docs``: every page one file that needs no network.

python -m docs.pages build/docs
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.styles import get_style_by_name
from pygments.util import ClassNotFound

from shrinkage.files import write_whole
from shrinkage.report import explain

ROOT = Path(__file__).parent.parent
EXPLAINER = "docs/explain.html"
LOOSE = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "benchmarks/RESULTS.md")
_STYLES = {"light": "friendly", "dark": "github-dark"}


class BrokenLink(ValueError):
    """A link of a page to what is not there."""


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        source: Its Markdown file, from the repository's root.
        tokens: What Markdown-It read; headings have identifiers.
    """

    source: str
    tokens: Sequence[Token]

    @property
    def file(self) -> str:
        """Its HTML file."""
        return "index.html" if self.source == "README.md" else self.source.removesuffix(".md") + ".html"

    @property
    def headings(self) -> list[tuple[str, str, str]]:
        """Level, identifier and text of each heading."""
        return [(a.tag, str(a.attrs["id"]), _text(b)) for a, b in pairwise(self.tokens) if a.type == "heading_open"]

    @property
    def title(self) -> str:
        """Its first heading."""
        return self.headings[0][2]

    @property
    def language(self) -> str:
        """Of its text."""
        return "zh" if self.source.endswith(".zh.md") else "en"


class Site(NamedTuple):
    """All pages, and what they lead to.

    Attributes:
        root: The repository.
        pages: By their sources.
        files: Other files that pages link to, as found so far; they are copied beside the pages.
    """

    root: Path
    pages: dict[str, Page]
    files: set[str]


def read(source: str, text: str) -> Page:
    """A page from its Markdown.

    Example:
        >>> read("docs/a.md", "# One\\n\\n## Two words\\n").headings
        [('h1', 'one', 'One'), ('h2', 'two-words', 'Two words')]
    """
    tokens = _MARKDOWN.parse(text)
    taken: set[str] = set()
    for token, inside in pairwise(tokens):
        if token.type == "heading_open":
            slug = wanted = re.sub(r"[^\w]+", "-", _text(inside).lower()).strip("-") or "part"
            count = 1
            while slug in taken:
                count += 1
                slug = f"{wanted}-{count}"
            taken.add(slug)
            token.attrs["id"] = slug
    return Page(source, tokens)


def _text(inline: Token) -> str:
    return "".join(child.content for child in inline.children or () if child.type in ("text", "code_inline"))


def build(out: Path, root: Path = ROOT) -> list[Path]:
    """Write every page under ``out``, and the explainer beside them; the files that were written.

    Raises:
        BrokenLink: a link to a page, a heading or a file that is not there; nothing is written then.
    """
    sources = [root / name for name in LOOSE if (root / name).exists()] + sorted((root / "docs").rglob("*.md"))
    pages = [read(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")) for path in sources]
    site = Site(root, {page.source: page for page in pages}, set())
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    template = environment.get_template("page.html.j2")
    written = {out / page.file: _rendered(template, page, site) for page in pages}
    files = [*written, *(out / file for file in sorted(site.files)), out / EXPLAINER]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
    for path, text in written.items():
        write_whole(path, text)
    for file in site.files:
        shutil.copyfile(root / file, out / file)
    explain(out / EXPLAINER)
    return files


def _rendered(template: Template, page: Page, site: Site) -> str:
    _link(page, site)
    body = _MARKDOWN.renderer.render(page.tokens, _MARKDOWN.options, {})
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    menu = [
        (heading, [(p.title, _seen_from(page.file, p.file), p is page) for p in members])
        for heading, members in _menu(list(site.pages.values()))
    ]
    return template.render(
        page=page,
        body=body,
        menu=menu,
        explainer=_seen_from(page.file, EXPLAINER),
        contents=[(slug, text) for tag, slug, text in page.headings if tag == "h2"],
        light=_colours("light"),
        dark=_colours("dark"),
    )


def _menu(pages: Sequence[Page]) -> Iterator[tuple[str, list[Page]]]:
    for heading, wanted in (
        ("", lambda s: s == "README.md"),
        ("To start", lambda s: s.startswith("docs/start/")),
        ("Guides", lambda s: s.startswith("docs/") and s.count("/") == 1),
        ("The project", lambda s: s in LOOSE[1:]),
        ("Decisions", lambda s: s.startswith("docs/decisions/")),
    ):
        yield heading, [page for page in pages if wanted(page.source)]


def _link(page: Page, site: Site) -> None:
    """Turn links to Markdown into links to pages, and the names of pages in code into links."""
    for inline in (token for token in page.tokens if token.type == "inline"):
        children, inside = [], False
        for child in inline.children or ():
            if child.type == "link_open":
                child.attrs["href"] = _target(page, str(child.attrs["href"]), site)
            inside = child.type == "link_open" or (inside and child.type != "link_close")
            if child.type == "code_inline" and child.content in site.pages and not inside:
                href = _target(page, _seen_from(page.source, child.content), site)
                opened = Token("link_open", "a", 1, attrs={"href": href})
                children += [opened, child, Token("link_close", "a", -1)]
            else:
                children.append(child)
        inline.children = children


def _target(page: Page, href: str, site: Site) -> str:
    if re.match(r"[a-z]+:", href):
        return href
    path, _, anchor = href.partition("#")
    here = posixpath.dirname(page.source)
    source = posixpath.normpath(posixpath.join(here, path)) if path else page.source
    if source not in site.pages:
        if source.endswith(".md") or source.startswith("..") or not (site.root / source).is_file():
            raise BrokenLink(f"{page.source}: a link to {href!r}, where there is no page or file {source}.")
        site.files.add(source)
        return _seen_from(page.file, source)
    if anchor and anchor not in {slug for _, slug, _ in site.pages[source].headings}:
        raise BrokenLink(f"{page.source}: a link to {href!r}, but {source} has no heading {anchor!r}.")
    found = _seen_from(page.file, site.pages[source].file)
    return f"{found}#{anchor}" if anchor else found


def _seen_from(file: str, other: str) -> str:
    return posixpath.relpath(other, posixpath.dirname(file) or ".")


def _highlighted(code: str, language: str, _: str) -> str:
    """Code in colours, by classes whose colours follow the reader's light or dark; "" leaves it as it is."""
    name = "pycon" if language == "python" and code.lstrip().startswith(">>>") else language
    try:
        lexer = get_lexer_by_name(name)
    except ClassNotFound:
        return ""
    return highlight(code.rstrip() + "\n", lexer, HtmlFormatter(nowrap=True))


def _colours(scheme: str) -> str:
    return HtmlFormatter(style=get_style_by_name(_STYLES[scheme]), nobackground=True).get_style_defs("pre")


_MARKDOWN = MarkdownIt("commonmark", {"html": False, "highlight": _highlighted}).enable("table")


def main(arguments: Sequence[str]) -> None:
    """Build into the folder that is named."""
    out = Path(arguments[0] if arguments else "build/docs")
    print(f"{len(build(out))} files: {out / 'index.html'}")


if __name__ == "__main__":
    main(sys.argv[1:])

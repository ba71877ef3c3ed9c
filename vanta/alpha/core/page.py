"""The frame of a static page: one file that needs nothing else, no network, no script. Pure.

Everything from outside goes through `text`: escaped, on one line, without control or direction marks. The page may load
nothing: its content policy allows its one style sheet, by hash, and no more. It reads in light and dark, on paper and
at the width of a phone.

    document(Page(title="…", lead="…", body="<section>…</section>"))  ->  "<!doctype html>…"
"""

import html
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256

from vanta.alpha.core.sights import one_line

STYLE = """
:root{color-scheme:light dark;--page:#fbfbf9;--ink:#1d2126;--quiet:#5a636d;--line:#d6d8d3;--box:#fff;--soft:#f1f2ee;
--link:#1f5c99;--good:#1b6e4a;--bad:#a3381f;--mark:#fff4cf}
@media (prefers-color-scheme:dark){:root{--page:#14171a;--ink:#e6e8ea;--quiet:#a0a9b2;--line:#353c43;--box:#1c2126;
--soft:#20262b;
--link:#86b8ea;--good:#63c79a;--bad:#f0937a;--mark:#3d3514}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
body>*{max-width:72rem;margin-inline:auto;padding-inline:1.25rem}
header{padding-block:2rem .5rem}
h1{font-size:1.35rem;line-height:1.3;margin:0 0 .6rem;overflow-wrap:anywhere}
h2{font-size:1rem;margin:2rem 0 .75rem;padding-top:1rem;border-top:1px solid var(--line)}
p{margin:.4rem 0}
.lead{font-size:1.05rem;max-width:60rem;overflow-wrap:anywhere}
.quiet,footer{color:var(--quiet);font-size:.85rem}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--link);outline-offset:2px;
border-radius:3px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--page);padding:.3rem .6rem}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
footer{padding-block:2rem 3rem}
@media (max-width:40rem){body>*{padding-inline:.9rem}header{padding-top:1.2rem}h1{font-size:1.15rem}}
@media print{:root{--page:#fff;--ink:#000;--quiet:#444;--line:#bbb;--box:#fff;--soft:#fff;--link:#000;--good:#1b6e4a;
--bad:#a3381f;
--mark:#fff}body{font-size:10.5pt}body>*{max-width:none;padding-inline:0}.skip{display:none}a{text-decoration:none}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`title`, `lead` and `foot` are plain text; `body` is markup that was made with `text`; `style` adds rules.

    `skip` is the id of what matters most in the body, and how the link to it is called.
    """

    title: str
    lead: str
    body: str
    foot: str = ""
    style: str = ""
    skip: tuple[str, str] = ("sentences", "To the sentences")


def text(value: object) -> str:
    """Anything as text that is safe in markup and between quotes."""
    return html.escape(one_line(str(value)), quote=True)


def document(page: Page) -> str:
    """The whole page."""
    style = STYLE + page.style
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" '
            f'content="no-referrer">\n'
            f"<title>{text(page.title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
            f'<a class="skip" href="#{text(page.skip[0])}">{text(page.skip[1])}</a>\n'
            f"<header>\n<h1>{text(page.title)}</h1>\n<p class=\"lead\">{text(page.lead)}</p>\n</header>\n"
            f"<main>\n{page.body}\n</main>\n<footer>{text(page.foot)}</footer>\n</body>\n</html>\n")

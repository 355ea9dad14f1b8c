"""The style sheet of the report: light, dark, in print, and on a phone."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1c2024; --faint: #5b6470;
  --line: #c9d0d8; --soft: #f3f5f7; --c0: #2166c0; --c1: #b3590b; --c2: #147a50;
  --c3: #8c4bb0; --c4: #a8323e; --c5: #6d6a20; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --ink: #e7eaee;
  --faint: #a0a9b4; --line: #3d454e; --soft: #1d2226; --c0: #6ea8ff; --c1: #f0a35c;
  --c2: #5fd3a1; --c3: #cf9bf0; --c4: #ff8f97; --c5: #cfc96a; } }
@media print { :root { color-scheme: only light; --ground: #ffffff; --ink: #000000;
  --faint: #444444; --line: #999999; --soft: #ffffff; --c0: #2166c0; --c1: #b3590b;
  --c2: #147a50; --c3: #8c4bb0; --c4: #a8323e; --c5: #6d6a20; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { display: none; } section { break-inside: auto; } figure { break-inside: avoid-page; }
  body { max-width: none; padding: 0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 52rem; padding: 1.5rem 1rem 3rem; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Helvetica, Arial,
  sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; border-top: 1px solid var(--line);
  padding-top: 1rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .25rem 0 .75rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .5rem;
  margin: 1rem 0; }
dl div { background: var(--soft); border: 1px solid var(--line); border-radius: 6px;
  padding: .5rem .75rem; }
dt { color: var(--faint); font-size: .85rem; } dd { margin: 0; font-size: 1.2rem;
  font-variant-numeric: tabular-nums; }
figure { margin: .75rem 0; }
.wide { overflow-x: auto; max-width: 100%; }
.wide:focus-visible, summary:focus-visible { outline: 2px solid var(--c0); outline-offset: 2px; }
svg { display: block; width: 100%; min-width: 34rem; height: auto; fill: var(--ink);
  font-family: inherit; }
svg .faint { fill: var(--faint); } svg .strong { font-weight: 600; }
.c0 { fill: var(--c0); } .c1 { fill: var(--c1); } .c2 { fill: var(--c2); }
.c3 { fill: var(--c3); } .c4 { fill: var(--c4); } .c5 { fill: var(--c5); }
.edge { stroke: var(--ground); stroke-width: 1; }
.axis, .edge-line, .arrow { stroke: var(--faint); stroke-width: 1.25; fill: none; }
.arrow { marker-end: url(#tip); }
#tip path { fill: var(--faint); }
.box { fill: var(--soft); stroke: var(--line); stroke-width: 1; }
.aside { stroke-dasharray: 4 3; }
.c0-edge { stroke: var(--c0); stroke-width: 2; } .c1-edge { stroke: var(--c1); stroke-width: 2; }
.c2-edge { stroke: var(--c2); stroke-width: 2; } .c3-edge { stroke: var(--c3); stroke-width: 2; }
.c4-edge { stroke: var(--c4); stroke-width: 2; } .c5-edge { stroke: var(--c5); stroke-width: 2; }
summary { cursor: pointer; color: var(--faint); padding: .35rem 0; }
.c6 { fill: var(--faint); }
table { border-collapse: collapse; font-size: .875rem; margin: .25rem 0 .75rem; }
caption { text-align: left; color: var(--faint); padding-bottom: .25rem; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem .25rem 0;
  text-align: left; vertical-align: top; min-width: 4rem; max-width: 18rem;
  overflow-wrap: break-word; }
th[scope=row] { font-weight: 400; min-width: 7rem; }
.time { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.talk p { margin: .15rem 0; white-space: pre-wrap; } .talk b { font-weight: 600; }
.talk small { color: var(--faint); }
.note { color: var(--faint); font-size: .9rem; }
"""
"""
It depends on nothing outside the page. Colours differ in lightness, too, for those who do not tell
them apart, and have a contrast of at least 4.5 : 1 with the ground.
"""

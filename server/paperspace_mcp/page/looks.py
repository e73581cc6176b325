"""The page's one style sheet. Light and dark, one column, no scripts, nothing from elsewhere."""

STYLE = """
:root { color-scheme: light dark; --paper: #f6f6f4; --card: #ffffff; --ink: #1b1c1e; --soft: #5c6066; --line: #d9dade;
  --danger: #a3160f; --danger-paper: #fdeeec; --care: #7a4b00; --care-paper: #fff4dc; --go: #14602f;
  --focus: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --paper: #141517; --card: #1e2023; --ink: #eceded; --soft: #a3a8ae;
  --line: #383b40; --danger: #ff9d94; --danger-paper: #3a1b19; --care: #ffc861; --care-paper: #332710; --go: #237a41;
  --focus: #8ab8ff; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; justify-content: space-between;
  padding: .75rem 1rem; border-bottom: 1px solid var(--line); background: var(--card); }
header a { color: var(--ink); font-weight: 600; text-decoration: none; }
header form { display: flex; gap: .75rem; align-items: center; color: var(--soft); font-size: .9rem; }
main { max-width: 40rem; margin: 0 auto; padding: 1rem; }
h2 { font-size: 1rem; margin: .5rem 0; }
h1 { font-size: 1.25rem; line-height: 1.3; margin: .5rem 0 1rem; }
p { margin: .5rem 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem;
  margin: 0 0 1rem; }
.danger { background: var(--danger-paper); color: var(--danger); border-left: .3rem solid var(--danger);
  border-radius: .4rem; padding: .75rem .9rem; font-size: 1.15rem; font-weight: 650; line-height: 1.35;
  margin: 0 0 1rem; }
.danger.spend, .danger.disrupt { background: var(--care-paper); color: var(--care);
  border-left-color: var(--care); }
.list { list-style: none; margin: 0; padding: 0; }
.list a { display: block; color: inherit; text-decoration: none; }
.list a:hover { border-color: var(--focus); }
.list .first { display: block; font-weight: 600; margin: .2rem 0; }
.group { border-left: .3rem solid var(--line); padding-left: .7rem; margin: 0 0 1.5rem; }
.group .buttons { margin-top: 0; }
.pick { display: flex; gap: .2rem; align-items: stretch; }
.pick label { display: flex; flex: none; align-items: center; justify-content: center; width: 2.9rem;
  margin: 0 0 1rem; }
.pick input { width: 1.4rem; height: 1.4rem; margin: 0; accent-color: var(--go); }
.pick a { flex: 1 1 auto; min-width: 0; }
.typed { font-family: ui-monospace, monospace; background: var(--care-paper); padding: .05rem .35rem;
  border-radius: .25rem; }
.lines { margin: 0; padding: 0; list-style: none; }
.lines li { padding: .35rem 0; border-top: 1px solid var(--line); }
.lines li:first-child { border-top: 0; padding-top: 0; }
.lines li:last-child { font-weight: 600; padding-bottom: 0; }
.lines.listed li:last-child { font-weight: inherit; padding-bottom: 0; }
.lines.listed li:nth-child(2) { font-weight: 600; }
.secret { font: 600 1.15rem/1.5 ui-monospace, monospace; white-space: pre-wrap; user-select: all; margin: 0; }
.facts { display: grid; grid-template-columns: auto 1fr; gap: .1rem .9rem; margin: 0; font-size: .9rem; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; }
.code { font-family: ui-monospace, monospace; font-weight: 600; letter-spacing: .06em; }
.soft { color: var(--soft); font-size: .9rem; }
label { display: block; font-weight: 600; margin: .9rem 0 .25rem; }
label:first-of-type { margin-top: 0; }
input { width: 100%; min-width: 0; font: inherit; padding: .65rem .7rem; color: inherit; background: var(--paper);
  border: 1px solid var(--soft); border-radius: .4rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.1rem; }
button, .button { font: inherit; font-weight: 600; min-height: 2.9rem; padding: .55rem 1.2rem; border-radius: .4rem;
  border: 1px solid var(--soft); background: var(--card); color: var(--ink); cursor: pointer; }
.buttons button, .buttons .button { flex: 1 1 8rem; }
.button { display: inline-block; text-align: center; text-decoration: none; }
button.go, .button.go { background: var(--go); border-color: var(--go); color: #fff; }
header button { min-height: 0; padding: .3rem .7rem; font-weight: 400; font-size: .9rem; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
a { color: var(--focus); }
"""

"""How the page looks, by day and by night."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #ffffff; --ink: #1b2430; --soft: #5b6776; --line: #dfe4ea;
  --flow: #b9c6d8; --entry: #1f8a5b; --time: #c98a12; --choice: #7a55d1; --send: #2266d6;
  --effect: #0f8f9c; --end: #7b8794; --sent: #2266d6; --unsent: #e0873a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #11151b; --card: #1a2029; --ink: #e8edf3; --soft: #9aa7b6; --line: #2c3541;
    --flow: #46566b; --entry: #46c48d; --time: #e8b145; --choice: #a98bf0; --send: #6aa2ff;
    --effect: #3fc3d0; --end: #8b97a5; --sent: #6aa2ff; --unsent: #f0a35e;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -.02em; }
h2 { font-size: 24px; margin: 56px 0 2px; letter-spacing: -.015em; }
h3 { font-size: 15px; margin: 0 0 14px; }
.soft { color: var(--soft); }
p { margin: 0 0 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 12px;
  margin: 20px 0; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.tile { padding: 14px 16px; }
.tile b { display: block; font-size: 24px; line-height: 1.25; font-variant-numeric: tabular-nums;
  letter-spacing: -.01em; }
.tile span { color: var(--soft); font-size: 13px; }
.card { padding: 20px; margin: 16px 0; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; font-size: 13px; color: var(--soft);
  padding: 0 16px 6px 0; }
td { border-top: 1px solid var(--line); padding: 7px 16px 7px 0; vertical-align: top; }
th.number, td.number { text-align: right; white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0; }
code { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace;
  overflow-wrap: anywhere; }
svg { display: block; margin: 0 auto; }
svg text { font-family: inherit; fill: var(--ink); text-anchor: middle; }
svg.flow { max-width: none; }
svg.days { width: 100%; height: auto; min-width: 560px; }
.box rect { fill: var(--card); stroke: var(--line); stroke-width: 1.5; }
.box .name { font-size: 14px; font-weight: 600; }
.box .line { font-size: 12px; fill: var(--soft); }
.box.end text { font-size: 12px; fill: var(--soft); }
.box.end rect { fill: var(--paper); }
.box.entry rect { stroke: var(--entry); }
.box rect.edge { stroke: none; }
.entry .edge { fill: var(--entry); } .time .edge { fill: var(--time); }
.choice .edge { fill: var(--choice); } .send .edge { fill: var(--send); }
.effect .edge { fill: var(--effect); } .end .edge { fill: var(--end); }
.arrow { fill: none; stroke: var(--flow); stroke-linecap: butt; }
.arrow.head { fill: var(--flow); stroke: none; }
.unused { stroke-dasharray: 4 4; opacity: .7; }
.behind { fill: var(--card); opacity: .88; }
.label { font-size: 12px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); }
.tick { font-size: 12px; fill: var(--soft) !important; font-variant-numeric: tabular-nums; }
.tick.right { text-anchor: end; }
.accepted { fill: var(--sent); } .skipped { fill: var(--unsent); }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin: 0 6px 0 14px; }
.key.accepted { background: var(--sent); } .key.skipped { background: var(--unsent); }
.head-line { display: flex; justify-content: space-between; align-items: baseline; gap: 16px; }
.head-line .soft { font-size: 13px; white-space: nowrap; }
footer { margin-top: 48px; font-size: 13px; color: var(--soft); }
"""

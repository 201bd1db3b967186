"""How a page looks: its frame and its style sheet, both inside the file."""

from __future__ import annotations

__all__ = ["PAGE", "STYLE"]

# What a cell wrote to stderr is left out: warnings carry paths of the machine.
PAGE = """\
{%- extends 'base/display_priority.j2' -%}
{%- block header -%}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ resources.page.title }}</title>
<style>{{ resources.page.style }}</style>
</head>
<body>
<main>
{%- endblock header -%}
{%- block markdowncell scoped %}
<section class="text">{{ cell.source | markdown2html }}</section>
{%- endblock markdowncell -%}
{%- block data_html scoped %}
{{ output.data['text/html'] }}
{%- endblock data_html -%}
{%- block data_svg scoped %}
<figure class="chart">{{ output.data['image/svg+xml'] }}</figure>
{%- endblock data_svg -%}
{%- block data_png scoped %}
<figure class="chart"><img alt="" src="data:image/png;base64,{{ output.data['image/png'] | replace('\\n', '') }}"></figure>
{%- endblock data_png -%}
{%- block data_jpg scoped %}
<figure class="chart"><img alt="" src="data:image/jpeg;base64,{{ output.data['image/jpeg'] | replace('\\n', '') }}"></figure>
{%- endblock data_jpg -%}
{%- block data_markdown scoped %}
<section class="text">{{ output.data['text/markdown'] | markdown2html }}</section>
{%- endblock data_markdown -%}
{%- block data_text scoped %}
<pre>{{ output.data['text/plain'] | ansi2html }}</pre>
{%- endblock data_text -%}
{%- block stream_stdout scoped %}
<pre>{{ output.text | ansi2html }}</pre>
{%- endblock stream_stdout -%}
{%- block execute_result scoped -%}
{%- block data_priority scoped -%}{{ super() }}{%- endblock data_priority -%}
{%- endblock execute_result -%}
{%- block footer %}
</main>
</body>
</html>
{% endblock footer -%}
"""

STYLE = """
:root {
  --ink: #26323f; --soft: #66717d; --rule: #e3e7eb; --navy: #1d3f66; --gain: #2f7560; --loss: #b0473d; --sand: #f7f4ec;
  --sand-rule: #d9c48f;
}
* { box-sizing: border-box; }
body {
  margin: 0; background: #eef0f2; color: var(--ink);
  font: 14px/1.5 "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif;
}
main {
  max-width: 1060px; margin: 28px auto; padding: 36px 48px 44px; background: #fff; border-top: 5px solid var(--navy);
  box-shadow: 0 1px 4px rgba(20, 30, 45, .14);
}
h1, h2, h3 { color: var(--navy); line-height: 1.25; font-weight: 600; }
h1 { font-size: 27px; margin: 0 0 4px; letter-spacing: -.2px; }
h2 { font-size: 18px; margin: 38px 0 4px; padding-top: 16px; border-top: 1px solid var(--rule); }
h3 { font-size: 14px; margin: 20px 0 4px; }
p { margin: 4px 0 10px; max-width: 104ch; }
.text p { color: var(--soft); }
code, pre { font: 12px/1.5 "DejaVu Sans Mono", Menlo, Consolas, monospace; }
pre { overflow-x: auto; background: #f5f6f8; padding: 10px 12px; }
svg, img { display: block; width: 100%; height: auto; }
.chart { margin: 14px 0 0; break-inside: avoid; }
figcaption { font-size: 13px; margin-bottom: 4px; }
figcaption strong { display: block; font-size: 14px; color: var(--navy); }
figcaption span { color: var(--soft); }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(400px, 1fr)); gap: 8px 34px; margin-top: 10px; align-items: start; }
.beside.leading { grid-template-columns: 3fr 2fr; }
.beside > div { min-width: 0; }
.beside .wide { margin-top: 14px; }
.masthead { display: flex; justify-content: space-between; align-items: center; gap: 24px; margin-bottom: 20px; }
.masthead p { margin: 0; color: var(--soft); }
.badge {
  flex: none; padding: 8px 18px; border-radius: 3px; color: #fff; font-weight: 600; font-size: 15px; letter-spacing: .4px;
  text-align: center;
}
.badge small { display: block; font-weight: 400; font-size: 11.5px; letter-spacing: 0; opacity: .9; }
.badge.passed, .pill.passed { background: var(--gain); }
.badge.rejected, .pill.failed { background: var(--loss); }
.badge.noted { background: #9a6b1f; }
.pill { display: inline-block; min-width: 88px; padding: 1px 9px; border-radius: 9px; color: #fff; font-size: 12px; text-align: center; }
.pill.not_applicable { background: #8b949e; }
.cards {
  display: grid; grid-template-columns: repeat(4, 1fr); gap: 1px; background: var(--rule); border: 1px solid var(--rule);
  break-inside: avoid;
}
.card { background: #fff; padding: 12px 16px 11px; }
.card .name { color: var(--soft); font-size: 12px; }
.card .value { font-size: 23px; font-weight: 600; color: var(--navy); font-variant-numeric: tabular-nums; line-height: 1.3; }
.card .value.below { color: var(--loss); }
.card .note { color: var(--soft); font-size: 12px; min-height: 18px; }
.caveats { background: var(--sand); border-left: 4px solid var(--sand-rule); padding: 12px 20px; margin: 20px 0 0; break-inside: avoid; }
.caveats strong { color: #7a5b16; }
.caveats ul { margin: 4px 0 0; padding-left: 18px; }
.wide { overflow-x: auto; margin: 10px 0 6px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; break-inside: avoid; }
caption { text-align: left; font-weight: 600; font-size: 14px; color: var(--navy); padding-bottom: 4px; }
th {
  text-align: left; font-weight: 600; color: var(--soft); font-size: 12px; border-bottom: 1.5px solid #c6cdd4; padding: 5px 10px;
  vertical-align: bottom;
}
td { border-bottom: 1px solid var(--rule); padding: 5px 10px; vertical-align: top; }
th.number, td.number, .dataframe td { text-align: right; }
td.number, .dataframe td { white-space: nowrap; }
.beside td { overflow-wrap: anywhere; }
td.name, .dataframe th { font-weight: 600; color: var(--ink); }
td.mono { font: 11.5px/1.6 "DejaVu Sans Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
td .below { color: var(--loss); }
tr.lead td { background: #f3f6fa; font-weight: 600; }
.quiet { color: var(--soft); }
.dense td, .dense th { padding: 4px 6px; font-size: 12px; }
.dense .name { overflow-wrap: anywhere; }
.case { margin: 18px 0 26px; break-inside: avoid; }
.case td, .case th { padding: 4px 7px; font-size: 12px; }
details { border-bottom: 1px solid var(--rule); padding: 7px 0; }
summary { cursor: pointer; }
summary span { color: var(--soft); font-size: 12px; }
@media (max-width: 760px) {
  main { margin: 0; padding: 20px 16px; }
  .cards { grid-template-columns: repeat(2, 1fr); }
  .beside, .beside.leading { grid-template-columns: 1fr; }
  .masthead { flex-direction: column; align-items: flex-start; }
}
@media print {
  body { background: #fff; font-size: 11px; }
  main { margin: 0; padding: 0; max-width: none; box-shadow: none; }
  h2 { break-after: avoid; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  @page { size: A4; margin: 14mm; }
}
"""

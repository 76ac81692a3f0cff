/** The look of the report; colours for light and for dark. Pure data. */
export const styles = `
:root{--ground:#fff;--text:#1c2126;--faint:#5d6770;--line:#dfe3e8;--bar:#2f6fdb;--mark:#0b2f6d;--bad:#b3261e;--good:#1b7f4b;--card:#f6f7f9}
@media (prefers-color-scheme:dark){:root{--ground:#14171a;--text:#e8eaed;--faint:#a0a8b0;--line:#30363c;--bar:#5c93f0;--mark:#d3e2ff;--bad:#ff8a80;--good:#5fd39a;--card:#1d2125}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 1rem}
h2{font-size:1.15rem;margin:2.5rem 0 .25rem}
p{margin:.25rem 0 1rem;color:var(--faint);max-width:44rem}
.warning{color:var(--bad);font-weight:600}.fine{color:var(--good);font-weight:600}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(16rem,1fr));gap:.75rem 1.5rem;margin:0;padding:1rem;background:var(--card);border-radius:.5rem}
.facts dt{font-size:.8rem;color:var(--faint)}.facts dd{margin:0;overflow-wrap:anywhere}
.notes{color:var(--faint);padding-left:1.2rem}
figure{margin:0 0 1rem}
figcaption{font-size:.8rem;color:var(--faint);margin-bottom:.25rem}
.bars{list-style:none;margin:0;padding:0}
.bars li{display:grid;grid-template-columns:minmax(10rem,20rem) 1fr 4.5rem;gap:.75rem;align-items:center;padding:.25rem 0}
.bars svg{width:100%;height:1rem;display:block;border-radius:.2rem}
.track{fill:var(--card)}.bar{fill:var(--bar)}.bar.worse{fill:var(--bad)}.bar.better{fill:var(--good)}
svg line{stroke:var(--mark);stroke-width:1;vector-effect:non-scaling-stroke;opacity:.55}
.value{text-align:right;font-variant-numeric:tabular-nums}
.noisy{font-size:.75rem;color:var(--bad);border:1px solid;border-radius:.25rem;padding:0 .25rem}
details{margin:.5rem 0}summary{cursor:pointer;color:var(--faint);font-size:.9rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{padding:.3rem .5rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
th:first-child{text-align:left;white-space:normal;font-weight:normal;min-width:12rem}
thead th{font-weight:600;color:var(--faint)}
tr.worse td:last-child{color:var(--bad)}tr.better td:last-child{color:var(--good)}
footer{margin-top:3rem;color:var(--faint);font-size:.85rem}
@media (max-width:40rem){.bars li{grid-template-columns:1fr 4.5rem;gap:.1rem .5rem;padding:.4rem 0}.bars .name{grid-column:1/-1}}
`;

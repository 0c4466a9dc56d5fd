/** Figures of the bench, and the table that compares them. */

/** Samples of one figure, by worker. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly samples: readonly number[];
}

/** One line of the table. */
interface Row {
  readonly figure: Figure;
  readonly peer: Figure | undefined;
}

/** Middle of the samples; NaN without any. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? NaN;
  const high = sorted[Math.floor(middle)] ?? NaN;
  return (low + high) / 2;
}

/** A Markdown table: median with its spread for the worker and the peer, and the ratio of the medians. */
export function table(figures: readonly Figure[], peers: readonly Figure[]): string {
  const rows = figures.map((figure) => ({ figure, peer: peers.find(({ name }) => name === figure.name) }));
  const header = [
    "Figure",
    "Unit",
    "n",
    "worker: median (min–max)",
    "peer: median (min–max)",
    "worker / peer",
  ];
  return [header, header.map(() => "---"), ...rows.map(cells)].map((line) => `| ${line.join(" | ")} |`).join(
    "\n",
  );
}

function cells({ figure, peer }: Row): string[] {
  const ratio = peer === undefined ? "" : (median(figure.samples) / median(peer.samples)).toFixed(2);
  return [
    figure.name,
    figure.unit,
    String(figure.samples.length),
    spread(figure),
    peer === undefined ? "" : spread(peer),
    ratio,
  ];
}

function spread({ samples }: Figure): string {
  return `${short(median(samples))} (${short(Math.min(...samples))}–${short(Math.max(...samples))})`;
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

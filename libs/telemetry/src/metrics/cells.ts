/** One counter under one set of label values. Keep it: an increment is one addition, finding it is a map lookup. */
export class CounterCell {
  value = 0;

  inc(by = 1): void {
    this.value += by;
  }
}

/** One gauge under one set of label values. */
export class GaugeCell {
  value = 0;

  set(value: number): void {
    this.value = value;
  }

  add(by: number): void {
    this.value += by;
  }
}

/** One histogram under one set of label values. */
export class HistogramCell {
  /** Observations per bucket, not cumulated; the last one is everything above. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Adds one observation; one that is not a number would spoil the sum for good and is dropped. */
  observe(value: number): void {
    if (Number.isNaN(value)) return;
    let bucket = 0;
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket++;
    this.counts[bucket]! += 1;
    this.sum += value;
  }
}

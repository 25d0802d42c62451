import { Fault } from '@gatehouse/kernel';

/** What a label value becomes when its label has too many already. */
export const OTHER = 'other';

const MAX_VALUES_PER_LABEL = 100;
const MAX_CELLS = 1_000;
const MAX_VALUE_CHARS = 128;
const SEPARATOR = '\u0000';

/** One set of label values and its cell. */
export interface Labelled<Cell> {
  values: readonly string[];
  cell: Cell;
}

/**
 * All cells of one metric. Bounded, because label values come from outside and every cell lives as
 * long as the process: the hundred-and-first value of a label counts as `other`, and beyond a
 * thousand cells every new combination is `other` throughout.
 */
export class Family<Cell> {
  private readonly byKey = new Map<string, Labelled<Cell>>();
  private readonly seen: Set<string>[];
  /** The one cell of a metric without labels. */
  private readonly single: Cell | undefined;

  constructor(
    readonly name: string,
    readonly help: string,
    readonly labelNames: readonly string[],
    private readonly make: () => Cell,
  ) {
    this.seen = labelNames.map(() => new Set<string>());
    this.single = labelNames.length === 0 ? this.labels() : undefined;
  }

  /** The cell of these values, in the order of the label names. Look it up once and keep it where calls are many. */
  labels(...values: string[]): Cell {
    const found = this.byKey.get(keyOf(values));
    return found === undefined ? this.bounded(values) : found.cell;
  }

  /** Every cell, in the order in which they came up. */
  cells(): Iterable<Labelled<Cell>> {
    return this.byKey.values();
  }

  protected only(): Cell {
    if (this.single === undefined) throw new Fault(`the metric ${this.name} has labels: use labels(…)`);
    return this.single;
  }

  private bounded(values: readonly string[]): Cell {
    if (values.length !== this.labelNames.length) throw new Fault(`the metric ${this.name} has the labels ${this.labelNames.join(', ')}`);
    const admitted = values.map((value, index) => this.admit(value.slice(0, MAX_VALUE_CHARS), this.seen[index]!));
    const known = this.byKey.get(keyOf(admitted));
    if (known !== undefined) return known.cell;
    return this.byKey.size < MAX_CELLS ? this.addCell(admitted) : this.overflow();
  }

  private admit(value: string, seen: Set<string>): string {
    if (seen.size < MAX_VALUES_PER_LABEL) seen.add(value);
    return seen.has(value) ? value : OTHER;
  }

  private overflow(): Cell {
    const others = this.labelNames.map(() => OTHER);
    return this.byKey.get(keyOf(others))?.cell ?? this.addCell(others);
  }

  private addCell(values: readonly string[]): Cell {
    const cell = this.make();
    this.byKey.set(keyOf(values), { values, cell });
    return cell;
  }
}

function keyOf(values: readonly string[]): string {
  return values.length === 1 ? values[0]! : values.join(SEPARATOR);
}

// The types of the SDK. What a plugin declares gives the types of its rows, answers and configuration.

/** The kinds of fields, with the types of their values. */
interface KindTypes {
  /** True or false. */
  boolean: boolean;
  /** A signed 64-bit integer. A row with one beyond ±(2^53 - 1) fails; read such fields `as: 'bigint'`. */
  integer: number;
  /** A finite 64-bit float. */
  number: number;
  /** A text. */
  text: string;
  /** An instant in microseconds since 1970-01-01T00:00:00Z: `new Date(value / 1000)`. */
  timestamp: number;
  /** Any JSON value. `JSON.parse` rounds integers beyond ±(2^53 - 1); read such fields `as: 'string'`. */
  json: any;
}

/** The kind of a field. */
export type Kind = keyof KindTypes;
/** The kind of a field, with `?` if the field may be missing. */
export type ShortField = Kind | `${Kind}?`;

/** A field that a plugin reads. */
export interface LongField {
  /** The kind, with `?` if the field may be missing. */
  readonly kind: ShortField;
  /** The name in the study, such as `decision.room`. By default the key. */
  readonly name?: string;
  /** Whether the plugin needs a value. The host does not pass rows without a needed one. */
  readonly required?: boolean;
  /** `'bigint'` for `integer` and `timestamp`, `'string'` for the text of `json`. */
  readonly as?: 'bigint' | 'string';
}

/** The fields that a plugin reads, by their keys in the row. */
export type Fields = { readonly [key: string]: ShortField | LongField };

type KindOf<F> = F extends { kind: infer K } ? KindOf<K> : F extends `${infer K extends Kind}?` ? K : F extends Kind ? F : never;
type IsOptional<F> = F extends `${string}?` | { kind: `${string}?` } | { required: false } ? true : false;
type ValueOf<F> = F extends { as: 'bigint' } ? bigint : F extends { as: 'string' } ? string : KindTypes[KindOf<F>];

/** A row. A field that may be missing is `undefined` where it is. */
export type Row<F extends Fields> = {
  readonly [K in keyof F]: IsOptional<F[K]> extends true ? ValueOf<F[K]> | undefined : ValueOf<F[K]>;
};

/** UTF-8. Text `i` is from `offsets[i]` to `offsets[i + 1]`. */
export interface Texts {
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

/** The values of a kind as the host sends them. */
interface KindArrays {
  /** 0 and 1. */
  boolean: Uint8Array;
  integer: BigInt64Array;
  number: Float64Array;
  text: Texts;
  timestamp: BigInt64Array;
  json: Texts;
}

/** The values of one field in a batch. */
export interface Column<V = unknown, A = KindArrays[Kind]> {
  /** The name of the field in the study. */
  readonly name: string;
  readonly kind: Kind;
  /** The number of rows. */
  readonly rows: number;
  /** The values as the host sends them, with any value in place of a missing one. */
  readonly values: A;
  /** The rows without a value; `undefined` if there is none. */
  readonly missing: ReadonlySet<number> | undefined;
  /** Whether a row has no value. */
  isMissing(row: number): boolean;
  /** The value of a row; `undefined` if it has none. */
  get(row: number): V;
}

/** Rows as columns. */
export interface Batch<F extends Fields> {
  readonly rows: number;
  readonly columns: { readonly [K in keyof F]: Column<Row<F>[K], KindArrays[KindOf<F[K]>]> };
}

/** The forms of answers, with the types that `decide` returns. */
interface FormTypes {
  /** One name out of a set. */
  label: string;
  /** A finite number. */
  number: number;
  /** Distinct names, best first. */
  ranking: readonly string[];
  /** A set of names. It may be empty, and its order has no meaning. */
  'label-set': ReadonlySet<string> | readonly string[];
  /** Any JSON value. A number that is not finite fails the row. */
  json: any;
}

/** The form of an answer. All answers of one plugin have the same form. */
export type Form = keyof FormTypes;

/** No answer, with the reason. */
export interface Unanswered {
  readonly tag: 'abstained' | 'failed';
  readonly why: string;
}

/** No answer to a row, by choice. */
export function abstain(why: string): Unanswered;
/** No answer to a row, by inability. */
export function fail(why: string): Unanswered;

/** What a model reports beside an answer. */
export interface Details {
  /** From 0 (no confidence) to 1 (certain). */
  readonly confidence?: number;
  /** Of distinct classes, each from 0 to 1, with a sum within 1e-6 of 1. The label need not be the most probable class. */
  readonly probabilities?: { readonly [name: string]: number } | Iterable<readonly [string, number]>;
}

/** An answer with its details. */
export interface DetailedAnswer<V> extends Details {
  readonly value: V;
}

/** An answer with its confidence or class probabilities, which the plugin declares. */
export function answer<V>(value: V, details: Details): DetailedAnswer<V>;
/** An answer of the form `json` as JSON text, for numbers that JavaScript would change, such as 2.0. */
export function jsonText(text: string): { readonly text: string };

/** What `decide` can return for a form. */
export type Answer<A extends Form> = FormTypes[A] | DetailedAnswer<FormTypes[A]> | Unanswered;

interface ConfigTypes {
  boolean: boolean;
  /** An integer within ±(2^53 - 1). */
  integer: number;
  number: number;
  text: string;
  /** Any value but null. */
  json: any;
}

type ConfigKind = keyof ConfigTypes;
type ShortConfig = ConfigKind | `${ConfigKind}?`;

/** A value of the configuration. */
export interface LongConfig {
  /** The kind, with `?` if the value may be missing. */
  readonly kind: ShortConfig;
  /** The value if the study gives none. */
  readonly default?: unknown;
  /** The values that are allowed. */
  readonly values?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The values of a configuration by their keys. A key that is not declared is an error. */
export type ConfigFields = { readonly [key: string]: ShortConfig | LongConfig };

type ConfigKindOf<C> = C extends { kind: infer K } ? ConfigKindOf<K> : C extends `${infer K extends ConfigKind}?` ? K : C extends ConfigKind ? C : never;
type HasNoValue<C> = C extends { default: {} } ? false : C extends `${string}?` | { kind: `${string}?` } ? true : false;
type ConfigValue<C> = C extends { kind: 'text'; values: readonly (infer V)[] } ? V : ConfigTypes[ConfigKindOf<C>];

/** A configuration. */
export type Config<C extends ConfigFields> = {
  readonly [K in keyof C]: HasNoValue<C[K]> extends true ? ConfigValue<C[K]> | undefined : ConfigValue<C[K]>;
};

/** An error for the author of the study, who sees its message alone. Throw it from `configure`. */
export class ConfigError extends Error {}

/** The files that a study passes to a plugin. */
export interface Assets {
  /** The bytes of an asset; `undefined` if the study has no asset of this name. */
  get(name: string): Uint8Array | undefined;
  /** The text of an asset. Without it, or if it is not UTF-8, a `ConfigError`. */
  text(name: string): string;
  /** The JSON value of an asset. Without it, a `ConfigError`. */
  json(name: string): any;
}

interface Configured<C extends ConfigFields, S> {
  /** The values that the study can give. Without it, any key is an error. */
  readonly config?: C;
  /** Makes the state that all rows share, once. Without it, the state is the configuration. */
  configure?(config: Config<C>, assets: Assets): S;
}

interface Deciding<F extends Fields, A extends Form, C extends ConfigFields, S> extends Configured<C, S> {
  /** The fields that the plugin reads, or a function of the state that returns them. */
  readonly reads: F | ((state: S) => Fields);
  /** The form of the answers, or a function of the state that returns it. */
  readonly answers: A | ((state: S) => Form);
  /** Whether each answer has a confidence. */
  readonly confidence?: boolean | ((state: S) => boolean);
  /** Whether each answer has class probabilities. Only labels can have them. */
  readonly probabilities?: boolean | ((state: S) => boolean);
}

/** A model or comparator that answers row by row, or batch by batch. */
export type DeciderDefinition<F extends Fields, A extends Form, C extends ConfigFields, S> = Deciding<F, A, C, S> &
  (
    | {
        /** Answers a row. */
        decide(row: Row<F>, state: S): Answer<A>;
      }
    | {
        /** Answers the rows of a batch, in their order. */
        decideBatch(batch: Batch<F>, state: S): ArrayLike<Answer<A>>;
      }
  );

/** A plugin: the default export of its package. */
export interface Plugin {
  /** The interface of the contract that it exports. */
  readonly exports: 'decider' | 'scorer';
}

/** A model: answers a row. It never sees a field of the decision. */
export function model<const F extends Fields, const A extends Form, const C extends ConfigFields = {}, S = Config<C>>(
  definition: DeciderDefinition<F, A, C, S>,
): Plugin;

/** A comparator: expresses the decision in the form of the model's answers. */
export function comparator<const F extends Fields, const A extends Form, const C extends ConfigFields = {}, S = Config<C>>(
  definition: DeciderDefinition<F, A, C, S>,
): Plugin;

/** The types of answers that a metric sees. */
interface ScoredTypes {
  label: string;
  number: number;
  ranking: readonly string[];
  /** In the order of their bytes, so equal sets are equal lists. */
  'label-set': readonly string[];
  /** The text in the canonical form of the host. Equal values have equal texts. */
  json: string;
}

/** A label with what a model reports beside it. */
export interface Prediction {
  readonly label: string;
  /** The confidence that the plugin reports, or else the probability of the label; `undefined` without either. */
  readonly confidence: number | undefined;
  /** The probability of each class; `undefined` if the plugin reports none. */
  readonly probabilities: ReadonlyMap<string, number> | undefined;
}

type Scored<A extends Form, P> = P extends true ? Prediction : ScoredTypes[A];

/** A metric. */
export interface MetricDefinition<A extends Form, P extends boolean, C extends ConfigFields, S> extends Configured<C, S> {
  /** The forms of answers that the metric scores. */
  readonly accepts: A | readonly A[];
  /** The names of the components, or a function of the state that returns them. */
  readonly components: readonly string[] | ((state: S) => readonly string[]);
  /** Which values of the metric are better. */
  readonly direction: 'higher-is-better' | 'lower-is-better';
  /** The smallest and the largest value, `null` for an end without a bound. */
  readonly range?: readonly [number | null, number | null];
  /** Whether `score` receives a `Prediction` in place of a label. */
  readonly predictions?: P;
  /** Whether the metric needs the model's class probabilities. */
  readonly needsProbabilities?: boolean;
  /**
   * The components of a pair: a number if there is one, or an array in the order of `components`. `model` is `undefined` if the model
   * did not answer.
   */
  score(model: Scored<A, P> | undefined, comparator: Scored<A, P>, state: S): number | readonly number[];
  /**
   * The value of the metric over `rows` pairs from the sum of each component; `undefined` if it has none. The host also calls it with
   * sums near the actual ones.
   */
  reduce(rows: number, sums: Float64Array, state: S): number | undefined | null;
}

/** A metric: scores a model's answers against the comparator's. */
export function metric<const A extends Form, const P extends boolean = false, const C extends ConfigFields = {}, S = Config<C>>(
  definition: MetricDefinition<A, P, C, S>,
): Plugin;

/** Whether two answers of a pair are the same. No answer is never the same. */
export function equal(
  model: string | number | readonly string[] | undefined,
  comparator: string | number | readonly string[],
): boolean;
